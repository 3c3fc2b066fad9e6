import { describe, expect, it } from 'vitest';
import type { Claimant } from '../../src/contract.ts';
import { MemoryTable } from '../../src/memory.ts';
import { localTable } from '../../src/memory_local.ts';
import { memoryOperatorTable } from '../memory_operator.ts';
import { operatorTableConformance } from '../operator_conformance.ts';

operatorTableConformance('memory', async times => {
  const memory = new MemoryTable({ size: 10_000, times });
  const table = localTable(memory);
  return { table, operator: memoryOperatorTable(memory), [Symbol.asyncDispose]: () => table.close() };
});

const times = { pendingMs: 100, expireMs: 1000 };
const ann: Claimant = { owner: 'lb1/1', epoch: 1 };
const pin = (key: string): { key: string; server: string; by: Claimant } => ({ key, server: 'a', by: ann });

function tableOf(size: number): { table: MemoryTable; clock: { ms: number } } {
  const clock = { ms: 0 };
  return { table: new MemoryTable({ size, times, now: () => clock.ms }), clock };
}

function cool(table: MemoryTable, ...keys: string[]): void {
  for (const key of keys) {
    table.confirm(pin(key));
    table.release(pin(key));
  }
}

function keysOf(table: MemoryTable): string[] {
  const keys: string[] = [];
  table.walk().slice(({ key }) => keys.push(key) > 0);
  return keys.sort();
}

describe('reconfigure', () => {
  it('P3: new times hold for what is written from now on; who cools keeps the deadline, who is live has none', () => {
    const { table, clock } = tableOf(100);
    cool(table, 'before');
    table.confirm(pin('live'));
    table.reconfigure({ size: 100, times: { pendingMs: 10, expireMs: 50 } });
    cool(table, 'after');
    expect(table.peek('before')?.ttlMs).toBe(1000);
    expect(table.peek('after')?.ttlMs).toBe(50);
    clock.ms = 50;
    expect(keysOf(table)).toEqual(['before', 'live']);
    clock.ms = 1e6;
    expect(keysOf(table)).toEqual(['live']);
    table.release(pin('live'));
    expect(table.peek('live')?.ttlMs).toBe(50);
  });

  it('sweeps what expires sooner than what was there before', () => {
    const { table, clock } = tableOf(100);
    cool(table, 'before');
    table.reconfigure({ size: 100, times: { pendingMs: 10, expireMs: 50 } });
    cool(table, 'one', 'two', 'three');
    clock.ms = 50;
    table.claim({ key: 'nobody', usable: [], candidate: null, by: ann });
    expect(table.count).toBe(1);
  });

  it('keeps no list of former times for ever', () => {
    const { table, clock } = tableOf(100);
    for (let expireMs = 100; expireMs < 1100; expireMs++) {
      table.reconfigure({ size: 100, times: { pendingMs: 10, expireMs } });
      cool(table, 'k');
    }
    clock.ms = 1099;
    expect(table.count).toBe(1);
    expect(keysOf(table)).toEqual([]);
  });

  it('a smaller table lets its surplus go a few at each call, the longest cooling first, and takes new keys in', () => {
    const { table } = tableOf(1000);
    cool(table, ...Array.from({ length: 500 }, (_, i) => `cool-${String(i).padStart(3, '0')}`));
    for (let i = 0; i < 50; i++) table.confirm(pin(`live-${i}`));
    table.reconfigure({ size: 100, times });
    expect(table.count).toBe(550);
    expect(table.claim({ key: 'new', usable: ['a'], candidate: 'a', by: ann }).kind).toBe('claimed');
    expect(table.count).toBeGreaterThan(500);
    expect(table.peek('cool-000')).toBeNull();
    expect(table.peek('cool-499')).not.toBeNull();
    for (let i = 0; i < 100; i++) table.claim({ key: 'new', usable: ['a'], candidate: 'a', by: ann });
    expect(table.count).toBe(100);
    expect(table.peek('live-49')?.state).toBe('pinned');
  });

  it('P3: a table smaller than its live sessions keeps them all', () => {
    const { table } = tableOf(100);
    for (let i = 0; i < 50; i++) table.confirm(pin(`live-${i}`));
    table.reconfigure({ size: 10, times });
    for (let i = 0; i < 10; i++)
      expect(table.claim({ key: `n${i}`, usable: ['a'], candidate: 'a', by: ann }).kind).toBe('full');
    expect(table.count).toBe(50);
  });
});

describe('walk', () => {
  it('goes on behind the place of another walk, whatever has gone meanwhile', () => {
    const { table } = tableOf(1000);
    for (let i = 0; i < 300; i++) table.confirm(pin(`k${i}`));
    const seen: string[] = [];
    let place = table.walk().place;
    for (let isMore = true; isMore; ) {
      const walk = table.walk(place);
      isMore = walk.slice(({ key }) => seen.push(key) % 7 !== 0);
      place = walk.place;
      table.remove(seen.at(-1) ?? '');
    }
    expect(seen.length).toBe(300);
    expect(new Set(seen).size).toBe(300);
  });

  it('leaves out what is over', () => {
    const { table, clock } = tableOf(10);
    cool(table, 'over');
    clock.ms = 500;
    cool(table, 'cooling');
    clock.ms = 1000;
    expect(keysOf(table)).toEqual(['cooling']);
  });
});

describe('put', () => {
  it('a short time ends before longer ones, and makes room first', () => {
    const { table, clock } = tableOf(3);
    cool(table, 'mine');
    table.put({ key: 'short', server: 'a', ttlMs: 10 });
    table.put({ key: 'long', server: 'a', ttlMs: 900 });
    expect(table.put({ key: 'new', server: 'a', ttlMs: null })).toBe('written');
    expect(keysOf(table)).toEqual(['long', 'mine', 'new']);
    clock.ms = 900;
    expect(keysOf(table)).toEqual(['mine', 'new']);
  });

  it('a table of live sessions is full', () => {
    const { table } = tableOf(1);
    table.confirm(pin('live'));
    expect(table.put({ key: 'k', server: 'a', ttlMs: null })).toBe('full');
    expect(table.set('k', 'a')).toBe('full');
    expect(table.put({ key: 'live', server: 'b', ttlMs: null })).toBe('kept');
  });
});
