import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Algorithm, ServerConfig } from '../../../src/config/resolved.ts';
import { Scheduler, type ServerStatus } from '../../../src/route/scheduler.ts';
import { backend, server, status } from './backend.ts';

const ASK = { key: null, source: '192.0.2.1', exclude: [] as string[] };
const ALGORITHMS: readonly Algorithm[] = ['roundrobin', 'leastconn', 'source', 'random', 'hash', 'first'];

interface Scene {
  readonly servers: readonly ServerConfig[];
  readonly statuses?: readonly ServerStatus[];
  readonly conns?: Readonly<Record<string, number>>;
  readonly balance?: Algorithm;
}

function scheduler({ servers, statuses, conns = {}, balance = 'roundrobin' }: Scene): Scheduler {
  const made = new Scheduler(
    backend(servers, { balance }),
    name => conns[name] ?? 0,
    () => 0,
  );
  for (const one of statuses ?? servers.map(({ name, weight }) => status(name, { weight }))) made.update(one);
  return made;
}

/** One server in any state. */
const anyServer = fc.record({
  up: fc.boolean(),
  isContested: fc.boolean(),
  isKnown: fc.boolean(),
  isResolved: fc.boolean(),
  suspect: fc.boolean(),
  admin: fc.constantFrom('ready', 'ready', 'drain', 'drain_new', 'maint'),
  backup: fc.boolean(),
  weight: fc.constantFrom(0, 1, 5),
  maxconn: fc.constantFrom(null, 0, 1, 3),
  conns: fc.nat(3),
  isExcluded: fc.boolean(),
});
type AnyServer = typeof anyServer extends fc.Arbitrary<infer One> ? One : never;

function sceneOf(servers: readonly AnyServer[], balance: Algorithm): { made: Scheduler; exclude: string[] } {
  const named = servers.map((one, index) => ({ ...one, name: `s${index}` }));
  const made = scheduler({
    balance,
    servers: named.map(({ name, weight, backup, maxconn }) => server(name, { weight, backup, maxconn })),
    statuses: named
      .filter(({ isKnown }) => isKnown)
      .map(({ name, up, isContested, suspect, isResolved, admin, weight }) => {
        const known = { up, contested: !up && isContested, address: isResolved ? '192.0.2.1' : null };
        return status(name, { ...known, suspect, admin, weight });
      }),
    conns: Object.fromEntries(named.map(({ name, conns }) => [name, conns])),
  });
  return { made, exclude: named.filter(({ isExcluded }) => isExcluded).map(({ name }) => name) };
}

/** For a returning client. */
function isOpen(one: AnyServer): boolean {
  const isFull = one.maxconn !== null && one.conns >= one.maxconn;
  const isServing = one.admin === 'ready' || one.admin === 'drain_new';
  const isThere = one.up || one.isContested;
  return one.isKnown && isThere && one.isResolved && isServing && !isFull && !one.isExcluded;
}

function isOpenToNew(one: AnyServer): boolean {
  return isOpen(one) && one.up && one.admin === 'ready' && one.weight > 0;
}

describe('any servers in any state', () => {
  const anyServers = fc.array(anyServer, { minLength: 1, maxLength: 5 });

  test('P5: usable() never names a server that is excluded, down, full, unresolved, drained or in maint; suspects only without others, contested ones always', () => {
    fc.assert(
      fc.property(anyServers, servers => {
        const { made, exclude } = sceneOf(servers, 'roundrobin');
        const open = servers.flatMap((one, index) => (isOpen(one) ? { ...one, name: `s${index}` } : []));
        const isAnyTrusted = open.some(({ up, suspect }) => up && !suspect);
        const usable = open.filter(({ up, suspect }) => !up || !suspect || !isAnyTrusted);
        expect(made.usable(exclude)).toEqual(usable.map(({ name }) => name));
      }),
      { numRuns: 500 },
    );
  });

  test.each(ALGORITHMS)(
    'P5: %s picks trusted before suspects, active before backups, and nobody of weight 0',
    balance => {
      fc.assert(
        fc.property(anyServers, servers => {
          const { made, exclude } = sceneOf(servers, balance);
          const picked = made.pick({ ...ASK, exclude });
          const rank = (one: AnyServer): number => (one.suspect ? 2 : 0) + (one.backup ? 1 : 0);
          const open = servers.filter(isOpenToNew);
          if (open.length === 0) {
            expect(picked).toBeNull();
            return;
          }
          const chosen = servers[Number(picked?.slice(1))];
          expect(chosen && isOpenToNew(chosen)).toBe(true);
          expect(chosen && rank(chosen)).toBe(Math.min(...open.map(rank)));
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each(ALGORITHMS)('P5: retries with %s go to distinct servers until none is left', balance => {
    fc.assert(
      fc.property(anyServers, servers => {
        const { made, exclude } = sceneOf(servers, balance);
        const expected = servers.filter(isOpenToNew).length;
        const tried = [...exclude];
        for (let attempt = 0; attempt < expected; attempt += 1) {
          const next = made.pick({ ...ASK, exclude: tried });
          expect(next).not.toBeNull();
          expect(tried).not.toContain(next);
          tried.push(next ?? '');
        }
        expect(made.pick({ ...ASK, exclude: tried })).toBeNull();
      }),
    );
  });
});

test('P6: ten clients on three equal servers: 4, 3, 3', () => {
  const made = scheduler({ servers: [server('a'), server('b'), server('c')] });
  const turns = Array.from({ length: 10 }, () => made.pick(ASK));
  expect(['a', 'b', 'c'].map(name => turns.filter(one => one === name).length)).toEqual([4, 3, 3]);
});

test('a server of weight 0 gets no new clients, and keeps its sticky ones', () => {
  const made = scheduler({ servers: [server('a', { weight: 0 }), server('b')] });
  expect(made.usable([])).toEqual(['a', 'b']);
  expect(Array.from({ length: 5 }, () => made.pick(ASK))).toEqual(['b', 'b', 'b', 'b', 'b']);
});

test.each([
  ['down', [status('a', { up: false })], {}],
  ['down', [status('a', { address: null })], {}],
  ['down', [], {}],
  ['full', [status('a')], { a: 2 }],
  ['down', [status('a', { up: false })], { a: 2 }],
] as const)('whyNobody(): %s', (why, statuses, conns) => {
  const made = scheduler({ servers: [server('a', { maxconn: 2 })], statuses, conns });
  expect(made.pick(ASK)).toBeNull();
  expect(made.whyNobody()).toBe(why);
});

describe('slow start', () => {
  /** The share of `a` in 1000 clients, so long after it came back. */
  function share(afterMs: number, balance: Algorithm = 'roundrobin'): number {
    let nowMs = 0;
    const conns: Record<string, number> = { a: 0, b: 0 };
    const servers = [server('a', { slowstartMs: 10_000 }), server('b')];
    const made = new Scheduler(
      backend(servers, { balance }),
      name => conns[name] ?? 0,
      () => nowMs,
    );
    for (const up of [true, false, true])
      for (const name of ['a', 'b']) made.update(status(name, { up: up || name === 'b' }));
    nowMs = afterMs;
    for (let client = 0; client < 1000; client += 1) {
      const name = made.pick(ASK) ?? '';
      conns[name] = (conns[name] ?? 0) + 1;
    }
    return (conns.a ?? 0) / 1000;
  }

  test.each([
    [0, 0.05 / 1.05],
    [100, 0.05 / 1.05],
    [2500, 0.25 / 1.25],
    [5000, 0.5 / 1.5],
    [9999, 0.5],
    [10_000, 0.5],
    [60_000, 0.5],
  ])('%d ms after its recovery a server has its part of the clients', (afterMs, expected) => {
    expect(share(afterMs)).toBeCloseTo(expected, 2);
    expect(share(afterMs, 'leastconn')).toBeCloseTo(expected, 2);
  });

  test('the proxy has just started: nobody recovers, everybody has its full weight', () => {
    const made = scheduler({ servers: [server('a', { slowstartMs: 10_000 }), server('b')] });
    const turns = Array.from({ length: 10 }, () => made.pick(ASK));
    expect(turns.filter(name => name === 'a').length).toBe(5);
  });

  test('the only server serves everybody, however cold it is', () => {
    const made = scheduler({
      servers: [server('a', { slowstartMs: 10_000 })],
      statuses: [status('a', { up: false }), status('a')],
    });
    expect(made.pick(ASK)).toBe('a');
  });
});

test('statuses() are in the order of the configuration, and only of known servers', () => {
  const statuses = [status('b'), status('stranger'), status('a', { up: false })];
  const made = scheduler({ servers: [server('a'), server('b'), server('c')], statuses });
  expect(made.statuses()).toEqual([status('a', { up: false }), status('b')]);
});

describe('what operators say', () => {
  const THREE = [server('a'), server('b'), server('c')];
  const SAID = ['ready', 'drain', 'drain_new', 'maint'] as const;

  test.each([
    ['ready', 'a b c', 'a b c'],
    ['drain', 'b c', 'b c'],
    ['drain_new', 'a b c', 'b c'],
    ['maint', 'b c', 'b c'],
  ] as const)('%s: who returns may go to %s, who is new to %s', (admin, returning, fresh) => {
    const made = scheduler({ servers: THREE, statuses: [status('a', { admin }), status('b'), status('c')] });
    expect(made.usable([]).join(' ')).toBe(returning);
    const picked = Array.from({ length: 9 }, () => made.pick(ASK));
    expect([...new Set(picked)].sort().join(' ')).toBe(fresh);
  });

  test.each(SAID.slice(1))('P5: where all are in %s nobody new is let in, and none is called full', admin => {
    const statuses = THREE.map(({ name }) => status(name, { admin }));
    const made = scheduler({ servers: THREE, statuses });
    expect([made.pick(ASK), made.whyNobody()]).toEqual([null, 'down']);
  });

  test('a full server is no reason where it is drained', () => {
    const servers = [server('a', { maxconn: 1 }), server('b')];
    const statuses = [status('a', { admin: 'drain' }), status('b', { up: false })];
    expect(scheduler({ servers, statuses, conns: { a: 1 } }).whyNobody()).toBe('down');
  });

  test('the effective weight counts, not the configured one', () => {
    const statuses = [status('a', { weight: 3 }), status('b', { weight: 1 }), status('c', { weight: 0 })];
    const made = scheduler({ servers: THREE, statuses });
    const picked = Array.from({ length: 8 }, () => made.pick(ASK));
    expect(['a', 'b', 'c'].map(name => picked.filter(one => one === name).length)).toEqual([6, 2, 0]);
  });

  test.each([
    ['maint', true],
    ['drain', false],
  ] as const)('back from %s: slow start: %s', (admin, isSlow) => {
    const made = scheduler({
      servers: [server('a', { slowstartMs: 10_000 }), server('b')],
      statuses: [status('a', { admin }), status('b'), status('a')],
    });
    const picked = Array.from({ length: 10 }, () => made.pick(ASK));
    expect(picked.filter(one => one === 'a').length).toBe(isSlow ? 0 : 5);
  });
});

describe('reconfigure()', () => {
  test('P6: turns go on where they were: a reload in the middle of ten clients still gives 4, 3, 3', () => {
    const servers = [server('a'), server('b'), server('c')];
    const made = scheduler({ servers });
    const before = Array.from({ length: 4 }, () => made.pick(ASK));
    made.reconfigure(backend([...servers].reverse()));
    const turns = [...before, ...Array.from({ length: 6 }, () => made.pick(ASK))];
    expect(['a', 'b', 'c'].map(name => turns.filter(one => one === name).length).sort()).toEqual([3, 3, 4]);
  });

  test('a new server takes part when its status is known, and one that is gone is forgotten', () => {
    const made = scheduler({ servers: [server('a'), server('b')] });
    made.reconfigure(backend([server('b'), server('c')]));
    expect(made.usable([])).toEqual(['b']);
    made.update(status('c'));
    expect(new Set(Array.from({ length: 4 }, () => made.pick(ASK)))).toEqual(new Set(['b', 'c']));
    made.reconfigure(backend([server('a'), server('b'), server('c')]));
    expect(made.statuses().map(({ name }) => name)).toEqual(['b', 'c']);
  });

  test('slow start goes on', () => {
    let nowMs = 0;
    const servers = [server('a', { slowstartMs: 10_000 }), server('b')];
    const made = new Scheduler(
      backend(servers),
      () => 0,
      () => nowMs,
    );
    for (const up of [true, false, true]) made.update(status('a', { up }));
    made.update(status('b'));
    nowMs = 1000;
    made.reconfigure(backend(servers, { retries: 1 }));
    expect(Array.from({ length: 11 }, () => made.pick(ASK)).filter(one => one === 'a').length).toBe(1);
  });

  test('another algorithm holds at once', () => {
    const servers = [server('a'), server('b')];
    const made = scheduler({ servers, conns: { a: 5, b: 0 } });
    expect(made.pick(ASK)).toBe('a');
    made.reconfigure(backend(servers, { balance: 'leastconn' }));
    expect([made.pick(ASK), made.pick(ASK)]).toEqual(['b', 'b']);
  });
});

test('while sessions are evened the server with the fewest for its weight is next, and turns are as before behind it', () => {
  const servers = [server('a'), server('b', { slowstartMs: 10_000 }), server('c')];
  const statuses = [status('a'), status('b', { up: false }), status('b', { weight: 4 }), status('c')];
  const made = scheduler({ servers, statuses, conns: { a: 2, b: 7, c: 2 } });
  made.setEvening(true);
  expect(Array.from({ length: 3 }, () => made.pick(ASK))).toEqual(['b', 'b', 'b']);
  made.setEvening(false);
  expect(Array.from({ length: 3 }, () => made.pick(ASK))).toEqual(['a', 'c', 'a']);
});
