import { expect, test } from 'vitest';
import { MemoryTable } from '../../src/index.ts';

const by = { owner: 'lb/1', epoch: 1 };
const pin = { key: 'k', server: 's1', by };

function makeTable(size = 10): { table: MemoryTable; pass(ms: number): void } {
  let nowMs = 0;
  const table = new MemoryTable({ size, times: { pendingMs: 100, expireMs: 1000 }, now: () => nowMs });
  return {
    table,
    pass: ms => {
      nowMs += ms;
    },
  };
}

test('a watcher is told of every key that has changed or gone, and of none that was only looked at', async () => {
  const { table, pass } = makeTable(2);
  let seen: string[] = [];
  const changes = (): string[] => seen.splice(0);
  table.watch(key => seen.push(key));
  table.claim({ key: 'k', usable: [], candidate: 's1', by });
  expect(changes()).toContain('k');
  table.confirm(pin);
  expect(changes()).toContain('k');
  table.peek('k');
  table.claim({ key: 'k', usable: ['s1'], candidate: null, by });
  expect(table.renew([pin])).toEqual([]);
  expect(changes()).toEqual([]);
  table.release(pin);
  expect(changes()).toEqual(['k']);
  pass(1001);
  table.peek('k');
  expect(changes()).toEqual(['k']);
  table.confirm(pin);
  changes();
  await table.ownerGone('lb/1');
  expect(changes()).toEqual(['k']);
  table.watch(null);
  table.remove('k');
  expect(changes()).toEqual([]);
  seen = [];
});

test('an adopted entry is as it was elsewhere: pinned without end, pending for the time of a claim, cooling for what is left', () => {
  const { table, pass } = makeTable();
  for (const [key, state, ttlMs] of [
    ['pinned', 'pinned', null],
    ['pending', 'pending', 60],
    ['cooling', 'cooling', 300],
  ] as const) {
    expect(table.adopt({ key, server: 's1', owner: 'old/1', epoch: 7, state, ttlMs })).toBe(true);
  }
  expect(table.peek('cooling')).toEqual({
    key: 'cooling',
    server: 's1',
    owner: 'old/1',
    epoch: 7,
    state: 'cooling',
    ttlMs: 300,
  });
  expect(table.peek('pending')?.ttlMs).toBe(100);
  pass(301);
  expect(['pinned', 'pending', 'cooling'].map(key => table.peek(key)?.state)).toEqual(['pinned', undefined, undefined]);
});

test('an adopted entry takes the place of what stood there, and finds no room where all are pinned', () => {
  const { table } = makeTable(1);
  table.confirm(pin);
  const entry = { server: 's2', owner: 'old/1', epoch: 7, state: 'cooling', ttlMs: null } as const;
  expect(table.adopt({ key: 'other', ...entry })).toBe(false);
  expect(table.adopt({ key: 'k', ...entry })).toBe(true);
  expect(table.peek('k')).toMatchObject({ server: 's2', state: 'cooling', ttlMs: 1000 });
  table.release(pin);
  expect(table.peek('k')?.server).toBe('s2');
});
