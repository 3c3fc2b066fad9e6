import { expect, test } from 'vitest';
import {
  openFilesLimit,
  pipesWithin,
  placesOfThisProcess,
  placesWithin,
  sessionsWithin,
} from '../../../src/listen/descriptors.ts';

test.each([
  ['Max open files            1024                 524288               files     ', 1024],
  ['Max open files            unlimited            unlimited            files     ', Number.POSITIVE_INFINITY],
  ['Max cpu time              unlimited            unlimited            seconds   ', 1024],
  ['', 1024],
])('the soft limit of open files in %j', (line, expected) => {
  expect(
    openFilesLimit(`Limit                     Soft Limit           Hard Limit           Units     \n${line}\n`),
  ).toBe(expected);
});

test.each([
  [1024, 448],
  [65_536, 32_656],
  [129, 1],
  [10, 1],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])('%d descriptors are enough for %d sessions', (openFiles, expected) => {
  expect(sessionsWithin(openFiles)).toBe(expected);
});

test.each([
  // In the reserve.
  [1024, 1, 448, 2],
  [1024, 16, 448, 16],
  // Three for each socket; never more than a quarter of all.
  [1024, 40, 412, 40],
  [1024, 5000, 320, 101],
  [65_536, 116, 32_506, 116],
])(
  '%d descriptors, with %d listening sockets, are enough for %d sessions and %d',
  (openFiles, listening, most, over) => {
    expect(placesWithin(openFiles, listening)).toEqual({ most, over });
  },
);

test.each([
  [10, 0],
  [148, 2],
  [1024, 16],
  [4096, 64],
  [Number.POSITIVE_INFINITY, 64],
])('of %d descriptors pipes may take two for each of %d', (openFiles, expected) => {
  expect(pipesWithin(openFiles)).toBe(expected);
});

test('this process can have a session at least', () => {
  expect(placesOfThisProcess({ global: { workers: 1 }, frontends: [] }).most).toBeGreaterThanOrEqual(1);
});
