import { describe, expect, it } from 'vitest';
import { RecentDelays } from '../../../src/account/loop_delay.ts';

describe('recent delays', () => {
  it('the longest one is known for 30 to 60 seconds', () => {
    const delays = new RecentDelays<string>();
    const seen: number[] = [];
    for (let second = 0; second <= 100; second++) {
      delays.note('lb1/1', second === 10 ? 50 : 1, second * 1000);
      seen.push(delays.of('lb1/1'));
    }
    expect(seen.indexOf(50)).toBe(10);
    expect(seen.lastIndexOf(50)).toBe(59);
    expect(seen[100]).toBe(1);
  });

  it('each one has its own, until it is forgotten', () => {
    const delays = new RecentDelays<number>();
    delays.note(1, 7, 0);
    delays.note(2, 3, 0);
    expect([delays.of(1), delays.of(2), delays.of(3)]).toEqual([7, 3, 0]);
    delays.forget(1);
    expect(delays.of(1)).toBe(0);
  });
});
