import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceLimits } from '../../../src/config/resolved.ts';
import { SourceCounts } from '../../../src/gate/source_counts.ts';
import { SourceSlots } from '../../../src/gate/source_slots.ts';

const NO_LIMITS: SourceLimits = { maxconn: null, connRate: null, connectRate: null };

function counts(limits: Partial<SourceLimits>, most = 1000): SourceCounts {
  return new SourceCounts({ ...NO_LIMITS, ...limits }, most);
}

/** A connection that must be let in. */
function enter(sources: SourceCounts, source: string, nowMs: number): () => void {
  const entered = sources.enter(source, nowMs);
  if (entered.kind === 'refused') throw new Error(`${source} was refused: ${entered.reason}`);
  return () => sources.leave(entered);
}

describe('limits of a source address', () => {
  test('maxconn: as many connections as that, and another one when one has ended', () => {
    const sources = counts({ maxconn: 2 });
    const leave = enter(sources, '192.0.2.1', 0);
    enter(sources, '192.0.2.1', 0);
    expect(sources.enter('::ffff:192.0.2.1', 0)).toEqual({ kind: 'refused', reason: 'source_maxconn' });
    enter(sources, '192.0.2.2', 0);
    leave();
    enter(sources, '192.0.2.1', 0);
    expect(sources.enter('192.0.2.1', 1e9)).toMatchObject({ kind: 'refused' });
  });

  test('IPv6 counts by /64', () => {
    const sources = counts({ maxconn: 1 });
    enter(sources, '2001:db8:0:1::1', 0);
    expect(sources.enter('2001:db8:0:1:ffff::2', 0)).toMatchObject({ reason: 'source_maxconn' });
    enter(sources, '2001:db8:0:2::1', 0);
  });

  test('conn_rate: one second’s worth at once, then at the rate; refusals cost nothing', () => {
    const sources = counts({ connRate: 5 });
    for (let count = 0; count < 5; count += 1) enter(sources, 'a', 0)();
    for (let count = 0; count < 20; count += 1) {
      expect(sources.enter('a', count)).toEqual({ kind: 'refused', reason: 'source_conn_rate' });
    }
    enter(sources, 'a', 200);
    expect(sources.enter('a', 201)).toMatchObject({ reason: 'source_conn_rate' });
    enter(sources, 'b', 201);
  });

  test('a connection that is refused for maxconn does not use up the rate', () => {
    const sources = counts({ maxconn: 1, connRate: 2 });
    const leave = enter(sources, 'a', 0);
    for (let count = 0; count < 10; count += 1)
      expect(sources.enter('a', 0)).toMatchObject({ reason: 'source_maxconn' });
    leave();
    enter(sources, 'a', 0);
  });

  test('connect_rate has a bucket of its own', () => {
    const sources = counts({ connRate: 1, connectRate: 2 });
    enter(sources, 'a', 0);
    expect([1, 2, 3].map(() => sources.connect('a', 0))).toEqual([true, true, false]);
    expect(sources.connect('a', 500)).toBe(true);
    expect(sources.connect('b', 0)).toBe(true);
  });
});

describe('P7: memory under many source addresses', () => {
  test('never more than its bound; who has a connection stays, the one that was idle for longest goes', () => {
    const sources = counts({ connRate: 1, maxconn: 1 }, 100);
    const leave = enter(sources, 'open', 0);
    enter(sources, 'early', 1)();
    for (let count = 0; count < 10_000; count += 1) {
      if (count % 50 === 0) expect(sources.enter('late', 2)).toMatchObject({ kind: count === 0 ? 'held' : 'refused' });
      enter(sources, `192.0.2.${count}`, 2)();
      expect(sources.size).toBeLessThanOrEqual(100);
    }
    expect(sources.enter('open', 3)).toEqual({ kind: 'refused', reason: 'source_maxconn' });
    leave();
    expect(sources.enter('open', 3)).toEqual({ kind: 'refused', reason: 'source_conn_rate' });
    expect(sources.enter('early', 3)).toMatchObject({ kind: 'held' });
  });

  test('sources whose buckets are full again are forgotten as others come', () => {
    const sources = counts({ connRate: 1 }, 100_000);
    for (let count = 0; count < 5000; count += 1) enter(sources, `a${count}`, 0)();
    expect(sources.size).toBe(5000);
    for (let count = 0; count < 5000; count += 1) enter(sources, `b${count}`, 999)();
    expect(sources.size).toBe(10_000);
    for (let count = 0; count < 10_000; count += 1) enter(sources, `c${count}`, 3000 + count / 10)();
    expect(sources.size).toBeLessThan(11_000);
    for (let count = 0; count < 30_000; count += 1) enter(sources, 'again', 6000 + count * 1000)();
    enter(sources, 'last', 1e9)();
    for (let count = 0; count < 10_000; count += 1) enter(sources, `d${count}`, 2e9 + count * 1001)();
    expect(sources.size).toBeLessThan(10);
  });

  test('more than the bound only while more have open connections', () => {
    const slots = new SourceSlots(10);
    for (let index = 0; index < 50; index += 1) slots.setConnFullAt(slots.of(`a${index}`, 0), 1000);
    expect(slots.size).toBe(10);
    const open = Array.from({ length: 50 }, (_, index) => {
      const slot = slots.of(`b${index}`, 0);
      slots.hold(slot);
      return slot;
    });
    expect(new Set(open).size).toBe(50);
    expect(slots.size).toBe(50);
    for (const slot of open) slots.release(slot);
    for (let count = 0; count < 100; count += 1) slots.of(`c${count}`, 0);
    expect(slots.size).toBeLessThan(12);
  });

  test('agrees with a plain table, whatever comes in whatever order', () => {
    const step = fc.record({ does: fc.constantFrom('come', 'hold', 'release'), who: fc.nat(8), passesMs: fc.nat(300) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 150 }), (most, steps) => {
        const model = new Model(most);
        for (const { does, who, passesMs } of steps) {
          model.nowMs += passesMs;
          if (does === 'release') model.release(`k${who}`);
          else model.come(`k${who}`, does === 'hold');
          model.check();
        }
      }),
    );
  });
});

/** The slots, and beside them what they must know. */
class Model {
  nowMs = 1;
  readonly #most: number;
  readonly #slots: SourceSlots;
  readonly #open = new Map<string, { readonly slot: number; readonly count: number }>();

  constructor(most: number) {
    this.#most = most;
    this.#slots = new SourceSlots(most);
  }

  come(key: string, holds: boolean): void {
    const slot = this.#slots.of(key, this.nowMs);
    const known = this.#open.get(key) ?? { slot, count: 0 };
    expect(slot).toBe(known.slot);
    expect(this.#slots.connections(slot)).toBe(known.count);
    this.#slots.setConnFullAt(slot, this.nowMs + 500);
    if (!holds) return;
    this.#slots.hold(slot);
    this.#open.set(key, { slot, count: known.count + 1 });
  }

  release(key: string): void {
    const known = this.#open.get(key);
    if (known === undefined) return;
    this.#slots.release(known.slot);
    if (known.count === 1) this.#open.delete(key);
    else this.#open.set(key, { ...known, count: known.count - 1 });
  }

  check(): void {
    const open = [...this.#open.values()];
    expect(this.#slots.size).toBeLessThanOrEqual(Math.max(this.#most, open.length + 1));
    expect(new Set(open.map(({ slot }) => slot)).size).toBe(open.length);
    for (const { slot, count } of open) expect(this.#slots.connections(slot)).toBe(count);
  }
}
