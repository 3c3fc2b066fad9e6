import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionNumbers } from '../../../src/account/session_numbers.ts';

/** As a worker's sessions are numbered: from the clock on. */
const FIRST = 1_795_000_000_000;

test('is a Map in small: whatever is set, set again and taken, in whatever order', () => {
  const step = fc.record({
    session: fc.nat(300),
    number: fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 65_536, max: 200_000 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), steps => {
      const numbers = new SessionNumbers();
      const model = new Map<number, number>();
      for (const { session, number } of steps) {
        const id = FIRST + session;
        if (number === 0) {
          expect(numbers.take(id)).toBe(model.get(id) ?? 0);
          model.delete(id);
        } else {
          numbers.set(id, number);
          model.set(id, number);
        }
        expect([numbers.get(id), numbers.size]).toEqual([model.get(id) ?? 0, model.size]);
      }
      expect([...numbers.values()].sort()).toEqual([...model.values()].sort());
    }),
  );
});

test('a session that nobody knows has none, and neither has its neighbour', () => {
  const numbers = new SessionNumbers();
  numbers.set(FIRST, 7);
  expect([numbers.get(FIRST + 1), numbers.take(FIRST + 64), numbers.get(FIRST)]).toEqual([0, 0, 7]);
});
