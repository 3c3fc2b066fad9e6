import { expect, test } from 'vitest';
import { openFilesLimit, sessionsOfThisProcess, sessionsWithin } from '../../../src/listen/descriptors.ts';

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
  [65_536, 32_704],
  [129, 1],
  [10, 1],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])('%d descriptors are enough for %d sessions', (openFiles, expected) => {
  expect(sessionsWithin(openFiles)).toBe(expected);
});

test('this process can have a session at least', () => {
  expect(sessionsOfThisProcess()).toBeGreaterThanOrEqual(1);
});
