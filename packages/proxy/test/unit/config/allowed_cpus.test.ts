import { expect, test } from 'vitest';
import { allowedCpus, cpuList, deniedCpus, readCpuList } from '../../../src/config/allowed_cpus.ts';

test.each([
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['1,3-4,7\n', [1, 3, 4, 7]],
  ['', []],
  ['x', []],
  ['4-2', []],
])('%o', (text, cpus) => {
  expect(readCpuList(text)).toEqual(cpus);
});

test('this process may use at least one', () => {
  expect(allowedCpus(1).length).toBeGreaterThan(0);
});

test.each([
  [[], ''],
  [[0], '0'],
  [[8, 0, 1, 2], '0-2,8'],
])('%j is written as %o', (cpus, text) => {
  expect(cpuList(cpus)).toBe(text);
});

test.each([
  ['all may be used', [[0], [1]], 2, []],
  [
    'one may not, and is told once',
    [
      [0, 99],
      [99, 7],
    ],
    2,
    [99, 7],
  ],
  ['an entry that no worker has', [[0], [99]], 1, []],
  ['entries that are taken in turn', [[0], [99]], 5, [99]],
] as const)('%s', (_, cpuMap, workers, denied) => {
  expect(deniedCpus(cpuMap, workers, [0, 1])).toEqual(denied);
});
