import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TallyDelta } from '../../../src/account/counters.ts';
import { Ledger } from '../../../src/account/ledger.ts';
import { Tally } from '../../../src/account/tally.ts';
import { backend, server } from '../route/backend.ts';

const FROM = { frontend: { name: 'mqtt' }, bindScope: 'mqtt/*:1883#0' };
const WORKERS = 3;
const SERVERS = ['a', 'b'] as const;

type Step =
  | { readonly what: 'connect'; readonly worker: number; readonly server: (typeof SERVERS)[number] }
  | { readonly what: 'end' | 'bytes' | 'flush' | 'die'; readonly worker: number }
  | { readonly what: 'tick'; readonly worker: 0 };

/** A worker, and what the primary should know of it. */
interface Place {
  tally: Tally;
  open: (typeof SERVERS)[number][];
  /** Told to the primary. */
  told: { sessions: number; bytes: number; here: number };
  /** Not yet. */
  held: { sessions: number; bytes: number };
}

function begin(): Place {
  return { tally: new Tally(), open: [], told: { sessions: 0, bytes: 0, here: 0 }, held: { sessions: 0, bytes: 0 } };
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    what: fc.constant('connect' as const),
    worker: fc.nat(WORKERS - 1),
    server: fc.constantFrom(...SERVERS),
  }),
  fc.record({
    what: fc.constantFrom('end' as const, 'bytes' as const, 'flush' as const, 'flush' as const, 'die' as const),
    worker: fc.nat(WORKERS - 1),
  }),
  fc.record({ what: fc.constant('tick' as const), worker: fc.constant(0 as const) }),
);

/** The sums that dead workers had told. */
interface Dead {
  sessions: number;
  bytes: number;
}

function act(step: Step, places: Place[], ledger: Ledger, dead: Dead, nowMs: number): void {
  const place = places[step.worker] ?? begin();
  const way = (to: string) => place.tally.way(FROM, 'emqx', to);
  switch (step.what) {
    case 'connect':
      place.tally.entrance(FROM).session(1);
      way(step.server).count('sessions');
      way(step.server).session(1);
      place.open.push(step.server);
      place.held.sessions += 1;
      break;
    case 'end': {
      const ended = place.open.shift();
      if (ended === undefined) break;
      way(ended).session(-1);
      place.tally.entrance(FROM).session(-1);
      break;
    }
    case 'bytes':
      way(place.open[0] ?? 'a').in.add(7);
      place.held.bytes += 7;
      break;
    case 'flush':
      // As it travels.
      ledger.tally(step.worker, JSON.parse(JSON.stringify(place.tally.flush())) as TallyDelta[]);
      place.told.sessions += place.held.sessions;
      place.told.bytes += place.held.bytes;
      place.told.here = place.open.length;
      place.held = { sessions: 0, bytes: 0 };
      break;
    case 'die':
      ledger.workerGone(step.worker);
      dead.sessions += place.told.sessions;
      dead.bytes += place.told.bytes;
      places[step.worker] = begin();
      break;
    case 'tick':
      ledger.tick(nowMs);
  }
}

function compare(ledger: Ledger, places: readonly Place[], dead: Dead): void {
  const sum = (of: (place: Place) => number): number => places.reduce((total, place) => total + of(place), 0);
  const [sessions, bytes, here] = [
    sum(one => one.told.sessions),
    sum(one => one.told.bytes),
    sum(one => one.told.here),
  ];
  const total = ledger.scope('worker', '');
  expect(total.counts.sessions ?? 0).toBe(dead.sessions + sessions);
  expect(total.counts.bytes_in ?? 0).toBe(dead.bytes + bytes);
  for (const scope of [total, ledger.scope('frontend', 'mqtt'), ledger.scope('backend', 'emqx')]) {
    expect(scope.sessions).toBe(here);
    expect(scope.sessionsMax).toBeGreaterThanOrEqual(here);
  }
  const ofServers = SERVERS.map(name => ledger.scope('server', `emqx/${name}`));
  expect(ofServers.reduce((total, one) => total + one.sessions, 0)).toBe(here);
  expect(ofServers.reduce((total, one) => total + (one.counts.sessions ?? 0), 0)).toBe(dead.sessions + sessions);
  const ofWorkers = places.map((_, worker) => ledger.scope('worker', String(worker)).counts.bytes_in ?? 0);
  expect(ofWorkers).toEqual(places.map(({ told }) => told.bytes));
}

test('P8, P12: sums are right after any interleaving of counts, flushes, deaths of workers and ticks', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 120 }), todo => {
      const ledger = new Ledger();
      const places = Array.from({ length: WORKERS }, begin);
      const dead: Dead = { sessions: 0, bytes: 0 };
      todo.forEach((step, at) => {
        act(step, places, ledger, dead, (at + 1) * 1000);
        compare(ledger, places, dead);
      });
    }),
  );
});

test('P8: a dead worker’s sessions are given back; its sums and the maximum stay', () => {
  const ledger = new Ledger();
  ledger.tally(1, [{ k: 'server', n: 'emqx/a', c: { sessions: 5 }, s: 5 }]);
  ledger.tally(2, [{ k: 'server', n: 'emqx/a', c: { sessions: 2 }, s: 2 }]);
  expect([1, 2, 3].map(worker => ledger.sessionsOf(worker, 'emqx', 'a'))).toEqual([5, 2, 0]);
  ledger.workerGone(1);
  expect(ledger.scope('server', 'emqx/a')).toMatchObject({ sessions: 2, sessionsMax: 7, counts: { sessions: 7 } });
  expect(ledger.sessionsOf(1, 'emqx', 'a')).toBe(0);
});

describe('rates', () => {
  test('are what came in the last second: connections in front, sessions behind', () => {
    const ledger = new Ledger();
    ledger.tick(0);
    const second = (connections: number, sessions: number, nowMs: number): void => {
      ledger.tally(1, [{ k: 'frontend', n: 'mqtt', c: { connections } }]);
      ledger.tally(1, [{ k: 'server', n: 'emqx/a', c: { sessions } }]);
      ledger.tick(nowMs);
    };
    const rates = () =>
      [ledger.scope('frontend', 'mqtt'), ledger.scope('server', 'emqx/a')].map(one => [one.rate, one.rateMax]);
    second(10, 4, 1000);
    expect(rates()).toEqual([
      [10, 10],
      [4, 4],
    ]);
    second(3, 3, 2003);
    expect(rates()).toEqual([
      [3, 10],
      [3, 4],
    ]);
  });

  test('a tick that comes late tells the mean, not a peak; one that comes twice tells nothing', () => {
    const ledger = new Ledger();
    ledger.tick(0);
    ledger.tally(1, [{ k: 'frontend', n: 'mqtt', c: { connections: 100 } }]);
    ledger.tick(5000);
    ledger.tick(5000);
    expect(ledger.scope('frontend', 'mqtt')).toMatchObject({ rate: 20, rateMax: 20 });
  });
});

test('checks are counted for their server and its backend', () => {
  const ledger = new Ledger();
  ledger.checked('emqx', 'a', true);
  ledger.checked('emqx', 'b', false);
  ledger.wentDown('emqx', 'b');
  expect(ledger.scope('backend', 'emqx').counts).toEqual({ checks: 2, checks_failed: 1, downs: 1 });
  expect(ledger.scope('server', 'emqx/a').counts).toEqual({ checks: 1 });
  expect(ledger.scope('server', 'emqx/b').counts).toEqual({ checks: 1, checks_failed: 1, downs: 1 });
});

test('latencies of all workers make one histogram', () => {
  const ledger = new Ledger();
  ledger.tally(1, [{ k: 'server', n: 'emqx/a', dial: [1.5, [0, 1], [1, 1]], connack: [7, [4, 1]] }]);
  ledger.tally(2, [{ k: 'server', n: 'emqx/a', dial: [0.25, [0, 1]] }]);
  const { connect, connack } = ledger.scope('server', 'emqx/a');
  expect([connect.buckets.slice(0, 3), connect.sumMs, connect.count]).toEqual([[2, 1, 0], 1.75, 3]);
  expect([connack.sumMs, connack.count]).toEqual([7, 1]);
});

test('P9: what a reload removed keeps its numbers until its last session has ended, and is forgotten then', () => {
  const ledger = new Ledger();
  const configured = (...names: string[]) => ({ frontends: [], backends: [backend(names.map(name => server(name)))] });
  const sums = () => ['a', 'b'].map(name => ledger.scope('server', `emqx/${name}`).counts.sessions);
  ledger.configure(configured('a', 'b'));
  for (const name of SERVERS) ledger.tally(1, [{ k: 'server', n: `emqx/${name}`, c: { sessions: 1 }, s: 1 }]);
  ledger.use(1, 1, 'emqx', 'b');
  ledger.configure(configured('a'));
  ledger.tick(1000);
  expect(sums()).toEqual([1, 1]);
  ledger.tally(1, [{ k: 'server', n: 'emqx/b', s: -1 }]);
  ledger.tick(2000);
  expect(sums()).toEqual([1, undefined]);
  expect(ledger.conns('emqx', 'b')).toBe(1);
  ledger.free(1, 1);
  expect(ledger.conns('emqx', 'b')).toBe(0);
});

test('a server without any number has all of them at 0', () => {
  const { connect, connack, ...facts } = new Ledger().scope('server', 'emqx/a');
  expect(facts).toEqual({ sessions: 0, sessionsMax: 0, rate: 0, rateMax: 0, counts: {} });
  expect([connect.count, connack.count]).toEqual([0, 0]);
});
