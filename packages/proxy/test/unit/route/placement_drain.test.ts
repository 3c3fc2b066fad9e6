import { localTable, MemoryTable, type StickTable } from '@limpet/state';
import { describe, expect, test } from 'vitest';
import { server } from './backend.ts';
import { nextOf, Office, TIMES } from './office.ts';

const THREE = [server('a'), server('b'), server('c')];

/** `shared`: the table that both proxies see, and what this proxy has seen of it is the primary's. */
function offices(shared: boolean): Office {
  const redis = new MemoryTable({ size: 1000, times: TIMES, now: () => office.nowMs });
  const both: StickTable = {
    ...localTable(redis),
    confirm: async pin => [redis, office.table].forEach(table => void table.confirm(pin)),
    forget: async pin => [redis, office.table].forEach(table => void table.forget(pin)),
  };
  const office: Office = new Office(shared ? { servers: THREE, shared: both } : { servers: THREE });
  return office;
}

async function visit(office: Office, number: number, key: string): Promise<string> {
  const session = office.session(number, key);
  const seen = await nextOf(session);
  await session.accepted(null);
  session.stay.release();
  return seen;
}

describe.each([
  ['memory', false],
  ['shared', true],
] as const)('the %s table', (_what, shared) => {
  test.each(['drain', 'maint'] as const)(
    'P2: a client of a server in %s is moved, and stays where it went',
    async admin => {
      const office = offices(shared);
      expect(await visit(office, 1, 'device')).toBe('a new');
      office.set('a', { admin });
      expect(await visit(office, 2, 'device')).toBe('b moved');
      office.set('a', { admin: 'ready' });
      expect(await visit(office, 3, 'device')).toBe('b sticky');
    },
  );

  test('P2: drain_new lets returning clients in, and no new ones', async () => {
    const office = offices(shared);
    await visit(office, 1, 'device');
    office.set('a', { admin: 'drain_new' });
    expect(await visit(office, 2, 'device')).toBe('a sticky');
    const others = [];
    for (let number = 3; number < 9; number += 1) others.push(await visit(office, number, `device-${number}`));
    expect(new Set(others)).toEqual(new Set(['b new', 'c new']));
  });

  test('where all are drained there is nobody, and no trace', async () => {
    const office = offices(shared);
    for (const name of office.names) office.set(name, { admin: 'drain' });
    const session = office.session(1, 'device');
    expect(await nextOf(session)).toBe('nobody: down');
    session.abandoned();
    expect(office.table.peek('device')).toBeNull();
  });

  test('a server that is drained while it is chosen is not dialled', async () => {
    const office = offices(shared);
    const session = office.session(1, 'device');
    const next = nextOf(session);
    office.set('a', { admin: 'drain' });
    expect(await next).toMatch(/^[bc] /);
  });

  test('asked to leave a drained server: counted no more, its entry stays until it has left', async () => {
    const office = offices(shared);
    const session = office.session(1, 'device');
    await nextOf(session);
    await session.accepted(null);
    expect(office.counts()).toEqual([1, 0, 0]);
    office.set('a', { admin: 'drain' });
    session.stay.leaving(false);
    expect(office.counts()).toEqual([0, 0, 0]);
    expect([...office.pins.batches(10)].flat()).toHaveLength(1);
    const successor = office.session(2, 'device');
    expect(await nextOf(successor)).toBe('b moved');
    await successor.accepted(null);
    session.stay.release();
    expect(office.counts()).toEqual([0, 1, 0]);
    expect([...office.pins.batches(10)].flat()).toMatchObject([{ key: 'device', server: 'b' }]);
  });

  test('asked to leave for another server: its key is free at once, and renewals do not bring it back', async () => {
    const office = offices(shared);
    const session = office.session(1, 'device');
    await nextOf(session);
    await session.accepted(null);
    session.stay.leaving(true);
    expect(office.counts()).toEqual([0, 0, 0]);
    expect([...office.pins.batches(10)]).toEqual([]);
    const successor = office.session(2, 'device');
    expect(await nextOf(successor)).toBe('b new');
    await successor.accepted(null);
    session.stay.release();
    expect(office.counts()).toEqual([0, 1, 0]);
    expect(office.table.peek('device')).toMatchObject({ server: 'b', state: 'pinned' });
  });
});
