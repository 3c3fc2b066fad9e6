import { MemoryTable } from '@limpet/state';
import { expect, test } from 'vitest';
import { Ledger } from '../../../src/account/ledger.ts';
import { Placer } from '../../../src/route/placer.ts';
import { Scheduler } from '../../../src/route/scheduler.ts';
import { stickTimes } from '../../../src/route/stick_times.ts';
import { backend, server, status } from './backend.ts';

const REQUEST = { session: 1, backend: 'emqx', key: 'device', source: '192.0.2.1', exclude: [], want: null };
const ASKER = { id: 1, owner: 'lb1/1' };

function scene(servers = [server('a'), server('b')]) {
  const ledger = new Ledger();
  const table = new MemoryTable({ size: 10, times: { pendingMs: 1000, expireMs: 60_000 }, now: () => 0 });
  const scheduler = new Scheduler(
    backend(servers),
    name => ledger.conns('emqx', name),
    () => 0,
  );
  for (const { name } of servers) scheduler.update(status(name));
  return { placer: new Placer(new Map([['emqx', { scheduler, table }]]), ledger), ledger, table, scheduler };
}

test('finding, claiming and counting are one step', () => {
  const { placer, ledger, table } = scene();
  expect(placer.place(ASKER, REQUEST)).toEqual({ server: 'a', stick: 'claimed', displaced: null });
  expect(ledger.conns('emqx', 'a')).toBe(1);
  expect(table.peek('device')).toMatchObject({ server: 'a', state: 'pending', owner: 'lb1/1', epoch: 1 });
});

test('P2: two workers race for one key: both get the same server', () => {
  const { placer } = scene();
  const first = placer.place(ASKER, REQUEST);
  const second = placer.place({ id: 2, owner: 'lb1/2' }, { ...REQUEST, session: 9 });
  expect([first.server, second.server]).toEqual(['a', 'a']);
  expect(second).toMatchObject({ stick: 'held' });
});

test.each([
  ['is taken', {}, { server: 'b', stick: 'held', displaced: null }],
  ['not when it was tried', { exclude: ['b'] }, { server: 'a', stick: 'claimed', displaced: null }],
  ['not when it is unknown', { want: 'stranger' }, { server: 'a', stick: 'claimed', displaced: null }],
])('the server that the shared table named: %s', (_what, over, expected) => {
  const { placer } = scene();
  expect(placer.place(ASKER, { ...REQUEST, want: 'b', ...over })).toEqual(expected);
});

test('the server that the shared table named is full', () => {
  const { placer } = scene([server('a'), server('b', { maxconn: 1 })]);
  placer.place(ASKER, { ...REQUEST, session: 7, key: null, exclude: ['a'] });
  expect(placer.place(ASKER, { ...REQUEST, want: 'b' })).toMatchObject({ server: 'a' });
});

test('nobody: nothing is counted and nothing is written', () => {
  const { placer, ledger, table, scheduler } = scene();
  for (const name of ['a', 'b']) scheduler.update(status(name, { up: false }));
  expect(placer.place(ASKER, REQUEST)).toEqual({ server: null, why: 'down' });
  expect(placer.place(ASKER, { ...REQUEST, backend: 'stranger' })).toEqual({ server: null, why: 'down' });
  expect(table.count).toBe(0);
  expect(ledger.conns('emqx', 'a') + ledger.conns('emqx', 'b')).toBe(0);
});

test('a claim outlives every attempt that may follow it', () => {
  const stick = { field: 'client_id', match: null, size: 10, expireMs: 5000, cleanSessions: true } as const;
  const { pendingMs, expireMs } = stickTimes(backend([], { retries: 2, connectMs: 1000, connackMs: 4000 }), stick);
  expect(pendingMs).toBeGreaterThan(3 * (1000 + 4000));
  expect(expireMs).toBe(5000);
});
