import { expect, test } from 'vitest';
import { longestGap } from '../../gap.ts';

const cases = [
  { name: 'between two events', times: [0, 5, 40, 45], from: 5, to: 45, gap: [5, 40] },
  { name: 'that began before the window', times: [0, 30, 35], from: 10, to: 35, gap: [0, 30] },
  { name: 'that ends behind the window', times: [0, 5, 10, 60], from: 0, to: 20, gap: [10, 60] },
  { name: 'that has not ended', times: [0, 5], from: 0, to: 100, gap: [5, 100] },
  { name: 'without any event', times: [], from: 10, to: 100, gap: [10, 100] },
  { name: 'and not a longer one outside', times: [0, 50, 55, 62, 65, 200], from: 50, to: 65, gap: [55, 62] },
];

test.each(cases)('the longest gap $name', ({ times, from, to, gap }) => {
  const [fromMs = 0, toMs = 0] = gap;
  expect(longestGap(times, from, to)).toEqual({ fromMs, toMs, lengthMs: toMs - fromMs });
});
