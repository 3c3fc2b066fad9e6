import { expect, test } from 'vitest';
import { Fullness } from '../../../src/listen/fullness.ts';

function told(most: number, ...used: readonly number[]): boolean[] {
  const words: boolean[] = [];
  const fullness = new Fullness(isFull => words.push(isFull));
  for (const now of used) fullness.look(now, most);
  return words;
}

test.each([
  [10, [9], []],
  [10, [9, 10, 11], [true]],
  // Those who come and go at the limit cost no words.
  [10, [10, 9, 10, 9, 8, 10], [true]],
  [10, [10, 8, 7], [true, false]],
  [10, [10, 7, 9, 10], [true, false, true]],
  [1, [1, 0, 1], [true, false, true]],
  [2, [2, 1, 0], [true, false]],
  [Number.POSITIVE_INFINITY, [1_000_000], []],
])('of %d places so many are taken, one after the other: %j; told is %j', (most, used, expected) => {
  expect(told(most, ...used)).toEqual(expected);
});
