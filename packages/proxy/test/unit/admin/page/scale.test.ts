import { describe, expect, test } from 'vitest';
import {
  alone,
  axisMs,
  byName,
  largest,
  linearTicks,
  logTicks,
  placeOn,
  spread,
  timeTicks,
} from '../../../../page/scale.js';

test.each([
  [0, [0, 0.5, 1]],
  [3, [0, 1, 2, 3]],
  [84, [0, 50, 100]],
  [420, [0, 200, 400, 600]],
  [0.3, [0, 0.1, 0.2, 0.3]],
])('linear ticks up to %d', (highest, ticks) => {
  expect(linearTicks(highest, 4)).toEqual(ticks);
});

test.each([
  [1, 10, [1, 10]],
  [0.5, 420, [0.1, 1, 10, 100, 1000]],
  [3, 3, [1, 10]],
])('powers of ten around %d and %d', (lowest, highest, ticks) => {
  expect(logTicks(lowest, highest)).toEqual(ticks);
});

test('places lie between the first and the last tick, whatever the value', () => {
  const linear = placeOn([0, 50, 100], false);
  expect([-5, 0, 25, 100, 900].map(linear)).toEqual([0, 0, 0.25, 1, 1]);
  const log = placeOn([1, 10, 100], true);
  expect([0, 1, 10, 100].map(log)).toEqual([0, 0, 0.5, 1]);
});

test.each([
  [[null, 5, null], [1]],
  [[5], [0]],
  [[5, 6, null, 7], [3]],
  [[0, null, 1, 2], [0]],
  [[null, null], []],
])('without a neighbour in %j: %j', (values, at) => {
  expect(alone(values)).toEqual(at);
});

describe('time ticks', () => {
  const from = Date.UTC(2026, 10, 20, 13, 7, 10);
  const hour = 3_600_000;
  const told = (ticks: readonly number[]): readonly string[] =>
    ticks.map(at => new Date(at).toISOString().slice(11, 16));

  test.each([
    [7, 0, ['13:10', '13:20', '13:30', '13:40', '13:50', '14:00']],
    [4, 0, ['13:15', '13:30', '13:45', '14:00']],
    [2, 0, ['13:30', '14:00']],
    // Kathmandu is 5:45 ahead: its full half hours are not ours.
    [2, 20_700_000, ['13:15', '13:45']],
  ])('at most %d of them, the clock %d ms ahead', (most, offset, ticks) => {
    expect(told(timeTicks(from, from + hour, most, offset))).toEqual(ticks);
  });
});

test.each([
  [0, 5],
  [4, 5],
  [5, 5],
  [6, 15],
  [20, 30],
  [59, 60],
  [61, 61],
])('samples of %d min stand on an axis of %d min', (samples, axis) => {
  expect(axisMs(1_000_000, 1_000_000 + samples * 60_000)).toBe(axis * 60_000);
});

test('series by name: numbers in names are numbers', () => {
  expect(Object.keys(byName({ 'e/b10': 1, 'e/b2': 2, 'd/b3': 3 }))).toEqual(['d/b3', 'e/b2', 'e/b10']);
});

describe('largest', () => {
  test('few are shown as they are', () => {
    expect(largest({ b: [1], a: [2] }, 2)).toEqual([
      { name: 'b', values: [1] },
      { name: 'a', values: [2] },
    ]);
  });

  test('of many those with the most now, in the order of the configuration, and the sum of the others', () => {
    const series = { a: [9, 1], b: [0, 7], c: [1, 2], d: [2, 8], e: [] };
    expect(largest(series, 3)).toEqual([
      { name: 'b', values: [0, 7] },
      { name: 'd', values: [2, 8] },
      { name: '3 others', values: [10, 3] },
    ]);
  });
});

test('the spread of many is the highest, the middle and the lowest at each moment', () => {
  expect(spread({ a: [1, 9], b: [5, 2], c: [3, 4] })).toEqual([
    { name: 'highest', values: [5, 9] },
    { name: 'median', values: [3, 4] },
    { name: 'lowest', values: [1, 2] },
  ]);
  expect(spread({}).map(({ values }) => values)).toEqual([[], [], []]);
});
