import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FULL, nextAtMs, rateOf, take } from '../../../src/gate/rate.ts';
import { sourceKey } from '../../../src/gate/source_key.ts';

/** The times at which a token could be taken. */
function taken(perSecond: number, burst: number, timesMs: readonly number[]): number[] {
  const rate = rateOf(perSecond, burst);
  let fullAtMs = FULL;
  return timesMs.filter(nowMs => {
    const next = take(rate, fullAtMs, nowMs);
    fullAtMs = next ?? fullAtMs;
    return next !== null;
  });
}

describe('a token bucket', () => {
  test.each([
    ['a full bucket gives its burst', 10, 10, Array(15).fill(5000), 10],
    ['and one at least', 0.1, 0.1, [5000, 5000], 1],
    ['an empty one gives a token an interval', 10, 1, [0, 50, 100, 150, 200], 3],
    ['what is refused costs nothing', 10, 1, [0, 99, 99.5, 100], 2],
    ['it does not hold more than its burst', 10, 2, [0, 0, 0, 9000, 9000, 9000], 4],
    ['a burst is whole after years of uptime', 1000, 1000, Array(1001).fill(1e11 + 0.1), 1000],
  ])('%s', (_what, perSecond, burst, timesMs, expected) => {
    expect(taken(perSecond, burst, timesMs)).toHaveLength(expected);
  });

  test('never gives more than rate × time + burst, in any window; and never refuses what is due', () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 400, noNaN: true })), { maxLength: 120 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 20 }), gaps, (perSecond, burst, all) => {
        let nowMs = 0;
        const times = taken(
          perSecond,
          burst,
          all.map(gap => {
            nowMs += gap;
            return nowMs;
          }),
        );
        times.forEach((first, from) => {
          times.slice(from).forEach((last, more) => {
            expect(more + 1).toBeLessThanOrEqual(((last - first + 0.01) * perSecond) / 1000 + burst);
          });
        });
        const rate = rateOf(perSecond, burst);
        const emptied = take(rate, nowMs + rate.toleranceMs, nowMs);
        expect(emptied).not.toBeNull();
        expect(take(rate, emptied ?? 0, nowMs)).toBeNull();
        expect(take(rate, emptied ?? 0, nextAtMs(rate, emptied ?? 0))).not.toBeNull();
      }),
    );
  });
});

describe('what a source is counted as', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['', ''],
    ['a:b', 'a:b'],
  ])('%s is %s', (address, key) => {
    expect(sourceKey(address)).toBe(key);
  });
});
