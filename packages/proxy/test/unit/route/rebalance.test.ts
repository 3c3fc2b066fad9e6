import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bearer, bearersOf, sharesOf, surplusOf } from '../../../src/route/rebalance.ts';
import { backend, server, status } from './backend.ts';

function bearer(name: string, conns: number, over: Partial<Bearer> = {}): Bearer {
  return { name, conns, weight: 1, maxconn: null, ...over };
}

const anyBearers = fc
  .array(
    fc.record({
      conns: fc.nat(3000),
      weight: fc.constantFrom(0.5, 1, 2, 5, 256),
      maxconn: fc.constantFrom(null, null, 10, 500),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map(all => all.map((one, i) => ({ ...one, name: `s${i}` })));

describe('surplusOf()', () => {
  test.each<[string, readonly Bearer[], number, number, string]>([
    ['a broker has joined', [bearer('a', 0), bearer('b', 1500), bearer('c', 1500)], 3000, 0.05, 'b 450, c 450'],
    ['all are even', [bearer('a', 10), bearer('b', 10)], 20, 0, ''],
    ['as even as can be', [bearer('a', 4), bearer('b', 3), bearer('c', 3)], 10, 0, ''],
    ['within the threshold', [bearer('a', 105), bearer('b', 95)], 200, 0.05, ''],
    ['one above it', [bearer('a', 106), bearer('b', 94)], 200, 0.05, 'a 1'],
    ['by weight', [bearer('a', 90, { weight: 3 }), bearer('b', 30)], 120, 0, ''],
    ['those on their way count', [bearer('a', 10), bearer('b', 10)], 30, 0, ''],
    ['a full server has no more to bear', [bearer('a', 5, { maxconn: 5 }), bearer('b', 100)], 105, 0, ''],
    [
      'shares that rounding keeps from being met',
      [bearer('a', 2305, { weight: 512 }), bearer('b', 4), bearer('c', 4)],
      2313,
      0,
      '',
    ],
    ['there is nowhere to go', [bearer('a', 5, { maxconn: 5 }), bearer('b', 9, { maxconn: 5 })], 14, 0, ''],
    ['nobody', [], 0, 0.05, ''],
  ])('%s', (_what, bearers, expected, threshold, surplus) => {
    const found = surplusOf(bearers, expected, threshold);
    expect(found.map(one => `${one.server} ${one.surplus}`).join(', ')).toBe(surplus);
  });

  test('who gives its surplus, and goes where there is the least for the weight, leaves nobody a surplus', () => {
    fc.assert(
      fc.property(anyBearers, fc.constantFrom(0, 0.05, 0.5), (bearers, threshold) => {
        const conns = new Map(bearers.map(one => [one.name, one.conns]));
        const now = (): Bearer[] => bearers.map(one => ({ ...one, conns: conns.get(one.name) ?? 0 }));
        const total = bearers.reduce((sum, one) => sum + one.conns, 0);
        let moving = 0;
        for (const one of surplusOf(now(), total, threshold)) {
          conns.set(one.server, (conns.get(one.server) ?? 0) - one.surplus);
          moving += one.surplus;
        }
        expect(surplusOf(now(), total, threshold)).toEqual([]);
        for (; moving > 0; moving -= 1) {
          const open = now().filter(one => one.maxconn === null || one.conns < one.maxconn);
          open.sort((a, b) => (a.conns + 1) / a.weight - (b.conns + 1) / b.weight);
          if (open[0] === undefined) return;
          conns.set(open[0].name, open[0].conns + 1);
        }
        expect(surplusOf(now(), total, threshold)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

test('shares add up to all there is, where there is room for all', () => {
  fc.assert(
    fc.property(anyBearers, fc.nat(10_000), (bearers, total) => {
      const shares = sharesOf(bearers, total);
      for (const { name, maxconn } of bearers) expect(shares.get(name)).toBeLessThanOrEqual(maxconn ?? total + 0.001);
      if (bearers.some(({ maxconn }) => maxconn === null)) {
        expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(total, 6);
      }
    }),
  );
});

describe('bearersOf()', () => {
  const servers = [server('a'), server('b'), server('spare', { backup: true, maxconn: 7 })];
  const named = (...statuses: Parameters<typeof status>[]): string =>
    bearersOf(
      { servers },
      [...servers.map(({ name }) => status(name)), ...statuses.map(one => status(...one))].reverse(),
      () => 1,
    )
      .map(({ name }) => name)
      .join(' ');

  test.each<[string, Parameters<typeof status>[], string]>([
    ['active ones', [], 'a b'],
    ['not who is down', [['a', { up: false }]], 'b'],
    ['not who is drained', [['a', { admin: 'drain' }]], 'b'],
    ['not who takes no new ones', [['a', { admin: 'drain_new' }]], 'b'],
    ['not who has weight 0', [['a', { weight: 0 }]], 'b'],
    [
      'backups, where nobody else is left',
      [
        ['a', { up: false }],
        ['b', { admin: 'maint' }],
      ],
      'spare',
    ],
  ])('%s', (_what, statuses, expected) => {
    expect(named(...statuses)).toBe(expected);
  });

  test('with what they have, and the effective weight', () => {
    const one = backend([server('a', { maxconn: 9 })]);
    expect(bearersOf(one, [status('a', { weight: 4 })], () => 3)).toEqual([
      { name: 'a', conns: 3, weight: 4, maxconn: 9 },
    ]);
  });
});
