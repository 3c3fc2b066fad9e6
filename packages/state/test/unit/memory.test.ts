import { describe, expect, it } from 'vitest';
import type { Claimant, ClaimRequest } from '../../src/contract.ts';
import { MemoryTable } from '../../src/memory.ts';
import { localTable } from '../../src/memory_local.ts';
import { stickTableConformance } from '../conformance.ts';

stickTableConformance('memory', async times => {
  const table = localTable(new MemoryTable({ size: 10_000, times }));
  return { table, [Symbol.asyncDispose]: () => table.close() };
});

const times = { pendingMs: 100, expireMs: 1000 };
const ann: Claimant = { owner: 'lb1/1', epoch: 1 };
const want = (key: string, candidate: string | null = 'a', by = ann): ClaimRequest => ({
  key,
  usable: ['a'],
  candidate,
  by,
});
const pin = (key: string, by = ann): { key: string; server: string; by: Claimant } => ({ key, server: 'a', by });

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

describe('size', () => {
  it('lets the entry go that cools for the longest', () => {
    const { table } = tableOf(3);
    cool(table, 'one', 'two');
    table.confirm(pin('pinned'));
    expect(table.claim(want('new')).kind).toBe('claimed');
    expect(table.count).toBe(3);
    expect(table.peek('one')).toBeNull();
    expect(table.peek('two')).not.toBeNull();
  });

  it('P3: never lets pinned or pending entries go: full', () => {
    const { table } = tableOf(2);
    table.confirm(pin('pinned'));
    table.claim(want('pending'));
    expect(table.claim(want('new'))).toEqual({ kind: 'full', degraded: false });
    expect(table.claim(want('new', null))).toEqual({ kind: 'free', displaced: null, degraded: false });
    table.confirm(pin('new'));
    expect(table.renew([pin('new')])).toEqual([]);
    expect(table.count).toBe(2);
    expect(table.peek('new')).toBeNull();
    expect(table.claim(want('pinned')).kind).toBe('held');
  });

  it('keeps a cooling entry that a claim waits for', () => {
    const { table, clock } = tableOf(1);
    cool(table, 'claimed');
    clock.ms = 950;
    table.claim(want('claimed', null));
    expect(table.claim(want('new')).kind).toBe('full');
    clock.ms = 1049;
    expect(table.peek('claimed')?.state).toBe('cooling');
    clock.ms = 1050;
    expect(table.claim(want('new')).kind).toBe('claimed');
  });

  it('makes room of a pending entry that is over', () => {
    const { table, clock } = tableOf(1);
    table.claim(want('pending'));
    clock.ms = 100;
    expect(table.claim(want('new')).kind).toBe('claimed');
  });
});

describe('time', () => {
  it('ends each state to the millisecond', () => {
    const { table, clock } = tableOf(10);
    table.claim(want('pending'));
    cool(table, 'cooling');
    table.confirm(pin('pinned'));
    clock.ms = 99;
    expect(table.peek('pending')?.ttlMs).toBe(1);
    clock.ms = 100;
    expect(table.peek('pending')).toBeNull();
    clock.ms = 999;
    expect(table.peek('cooling')?.ttlMs).toBe(1);
    clock.ms = 1000;
    expect(table.peek('cooling')).toBeNull();
    clock.ms = 1e9;
    expect(table.peek('pinned')).toMatchObject({ state: 'pinned', ttlMs: null });
  });

  it('forgets the expired as others come, without being asked about them', () => {
    const { table, clock } = tableOf(1000);
    for (let i = 0; i < 800; i++) cool(table, `old${i}`);
    clock.ms = 1000;
    for (let i = 0; i < 100; i++) table.peek(`nobody${i}`);
    expect(table.count).toBe(800);
    for (let i = 0; i < 100; i++) table.claim(want(`nobody${i}`, null));
    expect(table.count).toBe(0);
  });
});

describe('assign', () => {
  it('is asked only where no usable server holds the key', () => {
    const { table } = tableOf(10);
    const asked: (string | null)[] = [];
    const assign = (displaced: string | null): string => {
      asked.push(displaced);
      return 'a';
    };
    expect(table.claim(want('k', null), assign)).toMatchObject({ kind: 'claimed', server: 'a', displaced: null });
    expect(table.claim(want('k', null), assign).kind).toBe('held');
    table.confirm({ key: 'other', server: 'down', by: ann });
    expect(table.claim(want('other', null), assign)).toMatchObject({ kind: 'claimed', displaced: 'down' });
    table.claim(want('third', 'a'), assign);
    expect(asked).toEqual([null, 'down']);
  });

  it('may have none, and then nothing is written', () => {
    const { table } = tableOf(10);
    expect(table.claim(want('k', null), () => null)).toMatchObject({ kind: 'free' });
    expect(table.count).toBe(0);
  });

  it('is not asked by a full table', () => {
    const { table } = tableOf(1);
    table.confirm(pin('pinned'));
    const answer = table.claim(want('k', null), () => {
      throw new Error('asked');
    });
    expect(answer.kind).toBe('full');
  });
});

describe('ownerGone', () => {
  const dead: Claimant = { owner: 'lb1/9', epoch: 5 };

  it('P8: cools its pinned entries, voids its claims, and leaves the others', async () => {
    const { table } = tableOf(100);
    table.confirm(pin('hers', dead));
    table.claim(want('claimed', 'a', dead));
    table.confirm(pin('mine'));
    expect(await table.ownerGone(dead.owner)).toBe(1);
    expect(table.peek('hers')).toMatchObject({ server: 'a', state: 'cooling', ttlMs: 1000 });
    expect(table.peek('claimed')).toBeNull();
    expect(table.peek('mine')?.state).toBe('pinned');
  });

  it('P8: a word that comes after the death pins nothing', async () => {
    const { table } = tableOf(100);
    await table.ownerGone(dead.owner);
    table.confirm(pin('k', dead));
    expect(table.peek('k')?.state).toBe('cooling');
    expect(table.renew([pin('k')])).toEqual([]);
    expect(table.peek('k')).toMatchObject({ state: 'pinned', ...ann });
  });

  it('lets others work between its slices', async () => {
    const { table } = tableOf(100_000);
    for (let i = 0; i < 50_000; i++) table.confirm(pin(`device-${i}`, { owner: dead.owner, epoch: i }));
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    const cooling = table.ownerGone(dead.owner);
    count();
    table.confirm(pin('device-49999'));
    expect(await cooling).toBe(49_999);
    isOver = true;
    expect(turns).toBeGreaterThan(20);
    expect(table.peek('device-49999')).toMatchObject({ state: 'pinned', ...ann });
    expect(table.peek('device-49998')?.state).toBe('cooling');
  });
});
