import { localTable, MemoryTable, type Pin, type StickTable } from '@limpet/state';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Renewal } from '../../../../src/process/worker/renewal.ts';
import { Pins } from '../../../../src/route/pins.ts';

const STICK = { field: 'client_id', match: null, size: 10_000, expireMs: 4000, cleanSessions: true } as const;
/** A quarter of `expire`. */
const INTERVAL_MS = 1000;

const pin = (key: string, epoch = 1, server = 'a'): Pin => ({ key, server, by: { owner: 'lb1/1', epoch } });
const renewals: Renewal[] = [];

function scene(over: (table: StickTable) => Partial<StickTable> = () => ({})) {
  const table = new MemoryTable({ size: 10_000, times: { pendingMs: 100, expireMs: STICK.expireMs }, now: () => 0 });
  const pins = new Pins();
  const shared = localTable(table);
  const renewal = new Renewal({ ...shared, ...over(shared) }, pins, STICK);
  renewals.push(renewal);
  return { table, pins, renewal };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  for (const renewal of renewals.splice(0)) renewal.stop();
  vi.useRealTimers();
});

test('P3: entries that a table has lost, or let cool, are pinned again at every interval', async () => {
  const { table, pins } = scene();
  pins.add(pin('lost'));
  pins.add(pin('cooling'));
  table.confirm(pin('cooling'));
  table.release(pin('cooling'));
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(['lost', 'cooling'].map(key => table.peek(key)?.state)).toEqual(['pinned', 'pinned']);
});

test('P3: one key is renewed out of turn, and no other', async () => {
  const { table, pins, renewal } = scene();
  for (const key of ['a', 'b']) pins.add(pin(key));
  await renewal.of('a');
  await renewal.of('nobody');
  expect([table.peek('a')?.state, table.peek('b')]).toEqual(['pinned', null]);
});

test('a key that an operator has given another home is not renewed any more', async () => {
  const { table, pins, renewal } = scene();
  pins.add(pin('a'));
  table.set('a', 'other');
  await renewal.of('a');
  expect([table.peek('a')?.server, pins.of('a')]).toEqual(['other', undefined]);
});

test('P3: a session that ends while others are renewed is not pinned again, for nobody would ever release it', async () => {
  const { table, pins, renewal } = scene(shared => ({
    renew: async batch => {
      const answer = await shared.renew(batch);
      // The last ones leave while the answer to the first batch is on its way.
      for (const one of leavers.splice(0)) {
        pins.remove(one);
        table.release(one);
      }
      return answer;
    },
  }));
  const all = Array.from({ length: 1000 }, (_, at) => pin(`k${at}`, at));
  const leavers = all.slice(-10);
  for (const one of all) {
    pins.add(one);
    table.confirm(one);
  }
  await renewal.now();
  expect(all.slice(-10).map(({ key }) => table.peek(key)?.state)).toEqual(Array(10).fill('cooling'));
  expect(table.peek('k0')?.state).toBe('pinned');
});

test('P2: a session with a successor elsewhere is not renewed any more', async () => {
  const { table, pins, renewal } = scene();
  table.confirm({ key: 'moved', server: 'b', by: { owner: 'lb2/1', epoch: 5 } });
  pins.add(pin('moved'));
  pins.add(pin('here'));
  await renewal.now();
  expect([...pins.batches(9)]).toEqual([[pin('here')]]);
  expect(table.peek('moved')).toMatchObject({ server: 'b', state: 'pinned' });
});

test('P3: … but the one that has come here since it was asked is', async () => {
  const { table, pins, renewal } = scene(shared => ({
    renew: async batch => {
      const answer = await shared.renew(batch);
      pins.add(young);
      return answer;
    },
  }));
  const old = pin('moved', 1);
  const young = pin('moved', 2, 'b');
  table.confirm({ key: 'moved', server: 'b', by: { owner: 'lb2/1', epoch: 5 } });
  pins.add(old);
  await renewal.now();
  expect([...pins.batches(9)]).toEqual([[young]]);
  await renewal.now();
  expect([...pins.batches(9)]).toEqual([[young]]);
});

test('a renewal that takes longer than its interval is not joined by a second one', async () => {
  let started = 0;
  let answer: () => void = () => {};
  const { pins } = scene(() => ({
    renew: () => {
      started += 1;
      return new Promise(resolve => (answer = () => resolve([])));
    },
  }));
  pins.add(pin('k'));
  await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
  expect(started).toBe(1);
  answer();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(started).toBe(2);
});
