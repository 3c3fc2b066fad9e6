import { MemoryTable, type StickEntry } from '@limpet/state';
import { expect, test } from 'vitest';
import { ownerHere, TableReceiver, TableSender } from '../../../../src/process/upgrade/tables.ts';

const token = 'a1b2c3d4';
const times = { pendingMs: 1000, expireMs: 60_000 };

function makeTable(size = 10_000): MemoryTable {
  return new MemoryTable({ size, times });
}

function confirm(table: MemoryTable, key: string, server: string, owner = 'lb/1', epoch = 1): void {
  table.confirm({ key, server, by: { owner, epoch } });
}

/** The two ends of an upgrade, without a channel between them; what is sent arrives in a later turn. */
function pair(from: MemoryTable, to: MemoryTable): { sender: TableSender; receiver: TableReceiver; slices(): number } {
  const receiver = new TableReceiver(() => new Map([['emqx', to]]), token);
  let slices = 0;
  const sender: TableSender = new TableSender(new Map([['emqx', from]]), async (backend, entries) => {
    slices += 1;
    setImmediate(() => {
      receiver.take(backend, entries);
      sender.taken();
    });
  });
  return { sender, receiver, slices: () => slices };
}

function seen(table: MemoryTable, key: string): Pick<StickEntry, 'server' | 'owner' | 'state'> | null {
  const entry = table.peek(key);
  return entry && { server: entry.server, owner: entry.owner, state: entry.state };
}

test.each([
  ['lb/2', 'lb/2~a1b2c3d4'],
  ['lb/2~00000000', 'lb/2~00000000'],
  ['', ''],
])('the owner %j of the old process is %j here', (theirs, here) => {
  expect(ownerHere(theirs, token)).toBe(here);
});

test('all entries arrive as they are, in slices, and then what changes', async () => {
  const [from, to] = [makeTable(), makeTable()];
  for (let number = 0; number < 1700; number += 1) confirm(from, `key-${number}`, `s${number % 3}`);
  from.release({ key: 'key-1', server: 's1', by: { owner: 'lb/1', epoch: 1 } });
  from.claim({ key: 'claimed', usable: [], candidate: 's2', by: { owner: 'lb/2', epoch: 9 } });
  const { sender, slices } = pair(from, to);
  confirm(from, 'key-2', 's0', 'lb/2', 7);
  await sender.flush();
  expect([to.count, slices()]).toEqual([1701, 5]);
  const owner = 'lb/1~a1b2c3d4';
  expect(seen(to, 'key-0')).toEqual({ server: 's0', owner, state: 'pinned' });
  expect(seen(to, 'key-1')).toEqual({ server: 's1', owner, state: 'cooling' });
  expect(seen(to, 'key-2')).toEqual({ server: 's0', owner: 'lb/2~a1b2c3d4', state: 'pinned' });
  expect(seen(to, 'claimed')).toEqual({ server: 's2', owner: 'lb/2~a1b2c3d4', state: 'pending' });
  from.release({ key: 'key-0', server: 's0', by: { owner: 'lb/1', epoch: 1 } });
  from.remove('key-3');
  await sender.flush();
  expect([seen(to, 'key-0')?.state, to.peek('key-3')]).toEqual(['cooling', null]);
  sender.close();
  from.remove('key-4');
  await sender.flush();
  expect(seen(to, 'key-4')?.state).toBe('pinned');
});

test('what cools brings the time that is left', async () => {
  const [from, to] = [makeTable(), makeTable()];
  from.put({ key: 'key', server: 's1', ttlMs: 5000 });
  const { sender } = pair(from, to);
  await sender.flush();
  const { ttlMs, owner } = to.peek('key') ?? {};
  expect([owner, ttlMs !== null && ttlMs !== undefined && ttlMs > 3000 && ttlMs <= 5000]).toEqual(['', true]);
  sender.close();
});

test('once the new process serves, the old one speaks for its own sessions only', async () => {
  const [from, to] = [makeTable(), makeTable()];
  for (const key of ['mine', 'theirs', 'both']) confirm(from, key, 's1');
  const { sender, receiver } = pair(from, to);
  await sender.flush();
  receiver.serving();
  confirm(to, 'both', 's2', 'lb/1', 5);
  for (const key of ['theirs', 'both']) from.release({ key, server: 's1', by: { owner: 'lb/1', epoch: 1 } });
  await sender.flush();
  expect(seen(to, 'theirs')?.state).toBe('cooling');
  expect(seen(to, 'both')).toEqual({ server: 's2', owner: 'lb/1', state: 'pinned' });
  receiver.gone();
  expect([seen(to, 'mine')?.state, seen(to, 'both')?.state]).toEqual(['cooling', 'pinned']);
  sender.close();
});

test('no more than four slices are on their way', async () => {
  const from = makeTable();
  for (let number = 0; number < 5000; number += 1) confirm(from, `key-${number}`, 's1');
  let onTheWay = 0;
  let most = 0;
  const sender: TableSender = new TableSender(new Map([['emqx', from]]), async () => {
    onTheWay += 1;
    most = Math.max(most, onTheWay);
    setTimeout(() => {
      onTheWay -= 1;
      sender.taken();
    }, 2);
  });
  await sender.flush();
  expect([most, onTheWay]).toEqual([4, 0]);
  sender.close();
});
