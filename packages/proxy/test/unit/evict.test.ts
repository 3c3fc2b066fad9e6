import { expect, test } from 'vitest';
import { evict } from '../../src/evict.ts';
import type { Eviction, LiveSession } from '../../src/workshop.ts';

const EVICTION: Eviction = { reason: 0x9c, forget: false };

/** Sessions of which only evict() is asked: `can`, once each. */
function sessions(...can: boolean[]): { readonly all: LiveSession[]; readonly asked: number[] } {
  const asked: number[] = [];
  const all = can.map((isOpen, i) => {
    const one = (eviction: Eviction): boolean => {
      expect(eviction).toBe(EVICTION);
      if (!isOpen || asked.includes(i)) return false;
      asked.push(i);
      return true;
    };
    return { evict: one } as LiveSession;
  });
  return { all, asked };
}

test('the first ones first; those that cannot leave yet, and those that were asked before, are passed over', () => {
  const { all, asked } = sessions(true, false, true, true);
  expect(evict(all, 2, EVICTION)).toBe(2);
  expect(asked).toEqual([0, 2]);
  expect(evict(all, 2, EVICTION)).toBe(1);
  expect(asked).toEqual([0, 2, 3]);
  expect([evict(all, 0, EVICTION), evict(all, 5, EVICTION), evict([], 5, EVICTION)]).toEqual([0, 0, 0]);
});
