import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roundrobin } from '../../../../src/route/select/roundrobin.ts';
import type { Contender, Selector } from '../../../../src/route/select/selector.ts';

const ASK = { key: null, source: '192.0.2.1' };
const weights = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 7 });
/** A round of absences: bit i set means that server i is not there. */
const absences = fc.array(fc.nat(127), { maxLength: 60 });

function contenders(weights: readonly number[], absent = 0): Contender[] {
  return weights
    .map((weight, index) => ({ index, name: `s${index}`, weight, conns: 0 }))
    .filter(({ index }) => (absent & (1 << index)) === 0);
}

function turns(selector: Selector, count: number, among: readonly Contender[]): string {
  return Array.from({ length: count }, () => selector.order(among, ASK)[0]?.name.slice(1)).join('');
}

/** How many turns each server of so many gets. */
function tally(selector: Selector, count: number, among: readonly Contender[]): number[] {
  const got = among.map(() => 0);
  for (let turn = 0; turn < count; turn += 1) {
    const index = selector.order(among, ASK)[0]?.index ?? 0;
    got[index] = (got[index] ?? 0) + 1;
  }
  return got;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('roundrobin', () => {
  test.each([
    [[1, 1, 1], '0120120120'],
    [[5, 1, 1], '0010200'],
    [[2, 1], '010010'],
    [[3], '000'],
  ])('P6: weights %j take turns as %s', (weights, expected) => {
    expect(turns(roundrobin(), expected.length, contenders(weights))).toBe(expected);
  });

  test('P6: a full cycle gives every server exactly its weight, for any weights', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 3 }), (weights, cycles) => {
        const selector = roundrobin();
        for (let cycle = 0; cycle < cycles; cycle += 1)
          expect(tally(selector, sum(weights), contenders(weights))).toEqual(weights);
      }),
    );
  });

  test('P6: in any part of a cycle nobody is a whole turn ahead of its share', () => {
    fc.assert(
      fc.property(weights, fc.nat(200), (weights, count) => {
        const got = tally(roundrobin(), count, contenders(weights));
        weights.forEach((weight, index) => {
          expect((got[index] ?? 0) - (count * weight) / sum(weights)).toBeLessThan(1);
        });
      }),
    );
  });

  test('P6: after any coming and going a full cycle gives every server its weight, give or take one', () => {
    fc.assert(
      fc.property(weights, absences, (weights, absences) => {
        const selector = roundrobin();
        for (const absent of absences) selector.order(contenders(weights, absent), ASK);
        const got = tally(selector, sum(weights), contenders(weights));
        weights.forEach((weight, index) => {
          expect(Math.abs((got[index] ?? 0) - weight)).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  test('P6: ten clients on three equal servers are 4, 3, 3, whoever came and went before', () => {
    fc.assert(
      fc.property(absences, absences => {
        const selector = roundrobin();
        for (const absent of absences) selector.order(contenders([1, 1, 1], absent), ASK);
        expect(tally(selector, 10, contenders([1, 1, 1])).toSorted()).toEqual([3, 3, 4]);
      }),
    );
  });

  test('every contender is in the list once, so that retrying is taking the next', () => {
    fc.assert(
      fc.property(weights, absences, (weights, absences) => {
        const selector = roundrobin();
        for (const absent of [0, ...absences]) {
          const among = contenders(weights, absent);
          expect(new Set(selector.order(among, ASK))).toEqual(new Set(among));
        }
      }),
    );
  });

  test('a slow start makes the weight a fraction, and its share with it', () => {
    const among = [
      { index: 0, name: 's0', weight: 1, conns: 0 },
      { index: 1, name: 's1', weight: 0.25, conns: 0 },
    ];
    expect(tally(roundrobin(), 50, among)).toEqual([40, 10]);
  });
});
