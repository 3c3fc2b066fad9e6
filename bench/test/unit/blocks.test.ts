import { expect, test } from 'vitest';
import { makeDirectory } from '../../../packages/proxy/test/kit/directory.ts';
import { blocksIn, blocksMissed } from '../../blocks.ts';

const before = new Map([[11, 100]]);

test.each([
  ['both workers stood still', { 11: 110, 12: 9 }, 0],
  ['nobody did', {}, 1],
  ['one of them did', { 11: 110 }, 1],
  ['one of them did so earlier only', { 11: 100, 12: 9 }, 1],
  ['one of them did so hardly ever', { 11: 110, 12: 2 }, 1],
  ['the primary did so too', { 10: 9, 11: 110, 12: 9 }, 1],
])('%s', (_, after, complaints) => {
  const counts = new Map(Object.entries(after).map(([pid, count]) => [Number(pid), count]));
  expect(blocksMissed(before, counts, 2, 2)).toHaveLength(complaints);
});

test('a process is counted by the bytes of its file', async () => {
  await using directory = await makeDirectory('blocks');
  directory.write('blocked-17', '...');
  directory.write('block', '');
  expect(blocksIn(directory.path)).toEqual(new Map([[17, 3]]));
});
