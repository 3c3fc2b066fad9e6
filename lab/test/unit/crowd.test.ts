import { expect, test } from 'vitest';
import { mostWithin } from '../../crowd.ts';

test('the most in any second is found wherever that second begins', () => {
  expect(mostWithin([0, 900, 950, 1000, 1800, 2500], 1000)).toBe(4);
  expect(mostWithin([0, 1000, 2000], 1000)).toBe(1);
  expect(mostWithin([], 1000)).toBe(0);
});
