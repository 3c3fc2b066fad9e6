import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Algorithm } from '../../../../src/config/resolved.ts';
import { first } from '../../../../src/route/select/first.ts';
import { hash, source } from '../../../../src/route/select/hash.ts';
import { leastconn } from '../../../../src/route/select/leastconn.ts';
import { random } from '../../../../src/route/select/random.ts';
import { selectorOf } from '../../../../src/route/select/select.ts';
import type { Contender, Selector } from '../../../../src/route/select/selector.ts';

const ASK = { key: null, source: '192.0.2.1' };
const ALL: readonly Algorithm[] = ['roundrobin', 'leastconn', 'source', 'random', 'hash', 'first'];

function contender(index: number, weight = 1, conns = 0): Contender {
  return { index, name: `s${index}`, weight, conns };
}
const names = (ordered: readonly Contender[]): string => ordered.map(({ name }) => name).join(' ');

const anyContenders = fc
  .array(fc.record({ weight: fc.oneof(fc.integer({ min: 1, max: 256 }), fc.constant(0.05)), conns: fc.nat(50) }), {
    maxLength: 6,
  })
  .map(list => list.map(({ weight, conns }, index) => contender(index, weight, conns)));

test.each(ALL)('%s: every contender is in the list exactly once, and the list given is not changed', algorithm => {
  const selector = selectorOf(algorithm);
  fc.assert(
    fc.property(anyContenders, fc.option(fc.string()), fc.string(), (contenders, key, address) => {
      const before = [...contenders];
      const ordered = selector.order(contenders, { key, source: address });
      expect(ordered.length).toBe(contenders.length);
      expect(new Set(ordered)).toEqual(new Set(contenders));
      expect(contenders).toEqual(before);
    }),
  );
});

describe('leastconn', () => {
  test.each([
    ['fewest connections first', [contender(0, 1, 3), contender(1, 1, 1), contender(2, 1, 2)], 's1 s2 s0'],
    ['for their weight', [contender(0, 1, 2), contender(1, 5, 9)], 's1 s0'],
    [
      'the one to come is counted in: an empty one of weight 5 before one of weight 1',
      [contender(0), contender(1, 5)],
      's1 s0',
    ],
  ])('%s', (_what, contenders, expected) => {
    expect(names(leastconn().order(contenders, ASK))).toBe(expected);
  });

  test('of equals the one whose turn is longest ago goes first', () => {
    const selector = leastconn();
    const equal = [contender(0), contender(1), contender(2)];
    const turns = Array.from({ length: 6 }, () => selector.order(equal, ASK)[0]?.name);
    expect(turns).toEqual(['s0', 's1', 's2', 's0', 's1', 's2']);
  });

  test('fills up in proportion to the weights, and evens out what others left', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 20 }), conns: fc.nat(30) }), {
          minLength: 1,
          maxLength: 6,
        }),
        servers => {
          const selector = leastconn();
          const conns = servers.map(server => server.conns);
          for (let client = 0; client < 2000; client += 1) {
            const now = servers.map(({ weight }, index) => contender(index, weight, conns[index]));
            const index = selector.order(now, ASK)[0]?.index ?? 0;
            conns[index] = (conns[index] ?? 0) + 1;
          }
          const loads = servers.map(({ weight }, index) => (conns[index] ?? 0) / weight);
          const reached = loads.filter((_, index) => (conns[index] ?? 0) > (servers[index]?.conns ?? 0));
          const onePlace = 1 / Math.min(...servers.map(({ weight }) => weight));
          expect(Math.max(...reached) - Math.min(...loads)).toBeLessThan(onePlace + 1e-9);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('random', () => {
  /** Draws the given numbers, one after the other. */
  const drawn = (...numbers: number[]): Selector => random(() => numbers.shift() ?? 0);

  test.each([
    ['the less loaded of the two draws wins', [0.1, 0.9], [contender(0, 1, 5), contender(1, 1, 2)], 's1'],
    ['the first of equals', [0.1, 0.9], [contender(0, 1, 2), contender(1, 1, 2)], 's0'],
    ['load is for the weight', [0.01, 0.9], [contender(0, 1, 2), contender(1, 10, 10)], 's1'],
    ['who is not drawn does not win', [0.1, 0.2], [contender(0, 1, 90), contender(1, 1, 0)], 's0'],
  ])('%s', (_what, draws, contenders, expected) => {
    expect(drawn(...draws).order(contenders, ASK)[0]?.name).toBe(expected);
  });

  test('each is drawn as its weight says', () => {
    const draws = Array.from({ length: 1000 }, (_, index) => index / 1000);
    const heavy = contender(0, 3, 0);
    const light = contender(1, 1, 0);
    const got = draws.map(draw => random(() => draw).order([heavy, light], ASK)[0]);
    expect(got.filter(one => one === heavy).length).toBe(750);
  });

  test('two choices keep the fullest close to the mean', () => {
    let seed = 1;
    const selector = random(() => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    });
    const conns = [0, 0, 0, 0, 0];
    for (let client = 0; client < 5000; client += 1) {
      const index =
        selector.order(
          conns.map((count, at) => contender(at, 1, count)),
          ASK,
        )[0]?.index ?? 0;
      conns[index] = (conns[index] ?? 0) + 1;
    }
    expect(Math.max(...conns) - Math.min(...conns)).toBeLessThanOrEqual(10);
  });
});

describe('hash and source', () => {
  const servers = fc.integer({ min: 2, max: 6 }).map(count => Array.from({ length: count }, (_, at) => contender(at)));

  test('when a server goes, only its own keys move', () => {
    fc.assert(
      fc.property(servers, fc.string(), fc.nat(), (all, key, which) => {
        const gone = all[which % all.length];
        const ask = { key, source: '192.0.2.1' };
        const before = hash().order(all, ask);
        const after = hash().order(
          all.filter(one => one !== gone),
          ask,
        );
        expect(after).toEqual(before.filter(one => one !== gone));
      }),
    );
  });

  test('the same key gives the same order, whoever asks and whoever asked before', () => {
    fc.assert(
      fc.property(servers, fc.array(fc.string(), { minLength: 1 }), (all, keys) => {
        const ours = hash();
        for (const key of keys)
          expect(names(ours.order([...all].reverse(), { key, source: 'a' }))).toBe(
            names(hash().order(all, { key, source: 'b' })),
          );
      }),
    );
  });

  test('a client without a key is placed by its address; `source` never looks at the key', () => {
    const all = [contender(0), contender(1), contender(2)];
    const byAddress = names(source().order(all, { key: null, source: '198.51.100.7' }));
    expect(names(hash().order(all, { key: null, source: '198.51.100.7' }))).toBe(byAddress);
    expect(names(source().order(all, { key: 'device', source: '198.51.100.7' }))).toBe(byAddress);
  });

  test('weights are shares: 2,000 keys on weights 3 and 1', () => {
    const all = [contender(0, 3), contender(1, 1)];
    const keys = Array.from({ length: 2000 }, (_, at) => `device-${at}`);
    const heavy = keys.filter(key => hash().order(all, { key, source: '' })[0]?.index === 0).length;
    expect(heavy / keys.length).toBeGreaterThan(0.7);
    expect(heavy / keys.length).toBeLessThan(0.8);
  });
});

test('first: the order of the configuration, whatever the load and the order given', () => {
  expect(names(first().order([contender(2, 1, 0), contender(0, 1, 90), contender(1, 9, 5)], ASK))).toBe('s0 s1 s2');
});
