import { expect, test } from 'vitest';
import { allowedCpus, readCpuList } from '../../../src/config/allowed_cpus.ts';

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
