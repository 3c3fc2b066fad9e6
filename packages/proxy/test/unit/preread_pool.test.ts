import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PrereadHolder, PrereadPool } from '../../src/preread_pool.ts';

class Holder implements PrereadHolder {
  evictions = 0;
  evict(): void {
    this.evictions += 1;
  }
}

describe('P7: a pool that is used up', () => {
  test('ends whoever holds the most, not whoever came first', () => {
    const pool = new PrereadPool(1000);
    const [first, most, last, asker] = [new Holder(), new Holder(), new Holder(), new Holder()];
    pool.reserve(first, 300);
    pool.reserve(most, 400);
    pool.reserve(last, 300);
    expect(pool.reserve(asker, 100)).toBe(true);
    expect([first.evictions, most.evictions, last.evictions]).toEqual([0, 1, 0]);
    expect(pool.usedBytes).toBe(700);
  });

  test('refuses the asker where nobody would hold more than it', () => {
    const pool = new PrereadPool(1000);
    const [other, asker] = [new Holder(), new Holder()];
    pool.reserve(other, 500);
    pool.reserve(asker, 400);
    expect(pool.reserve(asker, 501)).toBe(false);
    expect(other.evictions).toBe(0);
    expect(pool.heldBy(asker)).toBe(400);
  });

  test('refuses what could never fit, and ends nobody for it', () => {
    const pool = new PrereadPool(1000);
    const other = new Holder();
    pool.reserve(other, 1000);
    expect(pool.reserve(new Holder(), 1001)).toBe(false);
    expect(other.evictions).toBe(0);
  });

  test('what is given back can be had again', () => {
    const pool = new PrereadPool(1000);
    const [first, second] = [new Holder(), new Holder()];
    pool.reserve(first, 1000);
    pool.release(first);
    pool.release(first);
    expect(pool.reserve(second, 1000)).toBe(true);
    expect(first.evictions).toBe(0);
  });

  test('never counts more than its limit, and counts what its holders hold', () => {
    const step = fc.record({ who: fc.nat(9), bytes: fc.nat(1500), release: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const pool = new PrereadPool(2000);
        const holders = Array.from({ length: 10 }, () => new Holder());
        for (const { who, bytes, release } of steps) {
          const holder = holders[who] ?? new Holder();
          const before = holders.map(one => ({ held: pool.heldBy(one), evictions: one.evictions }));
          const most = Math.max(...before.filter((_, index) => index !== who).map(one => one.held));
          if (release) pool.release(holder);
          else if (bytes > pool.heldBy(holder)) pool.reserve(holder, bytes);

          holders.forEach((one, index) => {
            if (one.evictions === before[index]?.evictions) return;
            expect(index).not.toBe(who);
            expect(before[index]?.held).toBe(most);
            expect(pool.heldBy(one)).toBe(0);
          });
          expect(pool.usedBytes).toBe(holders.reduce((sum, one) => sum + pool.heldBy(one), 0));
          expect(pool.usedBytes).toBeLessThanOrEqual(2000);
        }
      }),
    );
  });
});
