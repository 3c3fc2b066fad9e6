import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pace, spread } from '../../../../src/process/drains/pace.ts';

const MANY = Number.MAX_SAFE_INTEGER;

describe('Pace', () => {
  /** When each one passed, with ticks after these waits. */
  function passed(rate: number, waits: readonly number[]): number[] {
    const pace = new Pace(rate, 0);
    let nowMs = 0;
    return waits.flatMap(waitMs => {
      nowMs += waitMs;
      const count = pace.take(nowMs, MANY);
      pace.answered(count, count);
      return Array.from({ length: count }, () => nowMs);
    });
  }

  /** How many passed in (from, from + 1000 ms]. */
  const inSecond = (times: readonly number[], fromMs: number): number =>
    times.filter(at => at > fromMs && at <= fromMs + 1000).length;

  test.each([10, 200, 500, 5000])(
    '%d a second, with ticks of 40 to 95 ms: any second has that, within a tenth',
    rate => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 40, max: 95 }), { minLength: 60, maxLength: 80 }), waits => {
          const times = passed(rate, waits);
          const lastMs = waits.reduce((sum, wait) => sum + wait, 0);
          let atMs = 0;
          for (const wait of waits) {
            if (atMs + 1000 > lastMs) break;
            const found = inSecond(times, atMs);
            expect(found).toBeLessThanOrEqual(rate * 1.1 + 1);
            expect(found).toBeGreaterThanOrEqual(Math.floor(rate * 0.9) - 1);
            atMs += wait;
          }
        }),
        { numRuns: 30 },
      );
    },
  );

  test('whatever the clock does, no second has more than a tenth above, and one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.array(fc.nat(3000), { maxLength: 60 }), (rate, waits) => {
        const times = passed(rate, waits);
        for (const at of new Set(times)) expect(inSecond(times, at - 0.001)).toBeLessThanOrEqual(rate * 1.1 + 1);
      }),
    );
  });

  test('however late the answers come, no second has more of them than a tenth above, and one', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(400), isAnswered: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), steps, (rate, all) => {
        const pace = new Pace(rate, 0);
        const answers: number[] = [];
        let [nowMs, owed] = [0, 0];
        for (const { waitMs, isAnswered } of all) {
          nowMs += waitMs;
          owed += pace.take(nowMs, MANY);
          if (!isAnswered) continue;
          pace.answered(owed, owed);
          answers.push(...Array.from({ length: owed }, () => nowMs));
          owed = 0;
        }
        for (const at of new Set(answers)) expect(inSecond(answers, at - 0.001)).toBeLessThanOrEqual(rate * 1.1 + 1);
      }),
    );
  });

  test('less than one a second', () => {
    expect(
      passed(
        0.5,
        Array.from({ length: 100 }, () => 50),
      ),
    ).toEqual([2000, 4000]);
  });

  test('0 lets nobody through; what could not pass is given back; nothing is caught up on after a pause', () => {
    expect(passed(0, [1000, 100_000])).toEqual([]);
    const pace = new Pace(100, 0);
    expect(pace.take(50, MANY)).toBe(5);
    pace.answered(3, 5);
    expect([pace.take(50, 1), pace.take(50, MANY)]).toEqual([1, 1]);
    pace.restart(10_000);
    expect(pace.take(10_000, MANY)).toBe(0);
  });
});

describe('spread()', () => {
  test.each([
    [10, [100, 100], [5, 5]],
    [10, [300, 100, 0], [8, 2, 0]],
    [1, [1, 1, 1], [1, 0, 0]],
    [5, [1, 1, 1], [1, 1, 1]],
    [0, [7, 2], [0, 0]],
    [3, [], []],
  ])('%d over %j: %j', (count, have, parts) => {
    expect(spread(count, have)).toEqual(parts);
  });

  test('all of it, nobody more than it has, everybody its proportion', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.array(fc.nat(1000), { maxLength: 16 }), (count, have) => {
        const parts = spread(count, have);
        const total = have.reduce((sum, one) => sum + one, 0);
        expect(parts.reduce((sum, one) => sum + one, 0)).toBe(Math.min(count, total));
        for (const [i, part] of parts.entries()) {
          expect(part).toBeLessThanOrEqual(have[i] ?? 0);
          if (count < total) expect(Math.abs(part - (count * (have[i] ?? 0)) / total)).toBeLessThan(1);
        }
      }),
    );
  });
});
