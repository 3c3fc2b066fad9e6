import { expect, test } from 'vitest';
import type { TallyDelta } from '../../../src/account/counters.ts';
import { Tally } from '../../../src/account/tally.ts';

const FROM = { frontend: { name: 'mqtt' }, bindScope: 'mqtt/*:1883#0' };

function byScope(deltas: readonly TallyDelta[]): Record<string, Omit<TallyDelta, 'k' | 'n'>> {
  return Object.fromEntries(deltas.map(({ k, n, ...rest }) => [`${k} ${n}`, rest]));
}

test('P12: what is counted once reaches every scope that it belongs to, once', () => {
  const tally = new Tally();
  const entrance = tally.entrance(FROM);
  entrance.count('connections');
  entrance.session(1);
  tally.place('emqx', 'a').count('picked');
  const way = tally.way(FROM, 'emqx', 'a');
  way.count('sessions');
  way.session(1);
  way.in.add(20);
  way.in.add(5);
  way.out.add(4);
  const shared = { sessions: 1, bytes_in: 25, bytes_out: 4 };
  expect(byScope(tally.flush())).toEqual({
    'frontend mqtt': { c: { connections: 1, ...shared }, s: 1 },
    'bind mqtt/*:1883#0': { c: { connections: 1, ...shared }, s: 1 },
    'worker ': { c: { connections: 1, picked: 1, ...shared }, s: 1 },
    'backend emqx': { c: { picked: 1, ...shared }, s: 1 },
    'server emqx/a': { c: { picked: 1, ...shared }, s: 1 },
  });
});

test('a flush tells only what has changed since the one before', () => {
  const tally = new Tally();
  const way = tally.way(FROM, 'emqx', 'a');
  expect(tally.flush()).toEqual([]);
  way.in.add(1);
  expect(tally.flush()).toHaveLength(5);
  expect(tally.flush()).toEqual([]);
  tally.entrance(FROM).session(1);
  tally.entrance(FROM).session(-1);
  expect(tally.flush()).toEqual([]);
  tally.place('emqx', 'a').count('picked');
  expect(byScope(tally.flush())).toEqual({
    'backend emqx': { c: { picked: 1 } },
    'server emqx/a': { c: { picked: 1 } },
    'worker ': { c: { picked: 1 } },
  });
});

test('latencies travel as buckets and a sum', () => {
  const tally = new Tally();
  const place = tally.place('emqx', 'a');
  for (const ms of [0.2, 0.5, 0.6, 12_000]) place.dialled(ms);
  place.acknowledged(3);
  const { 'server emqx/a': server } = byScope(tally.flush());
  expect(server).toEqual({ dial: [12_001.3, [0, 2], [1, 1], [14, 1]], connack: [3, [3, 1]] });
});

test.each([
  [null, ['frontend mqtt', 'bind mqtt/*:1883#0', 'worker ']],
  ['a', ['frontend mqtt', 'bind mqtt/*:1883#0', 'worker ', 'backend emqx', 'server emqx/a']],
])('a client that is turned away at server %s is counted where it was', (server, scopes) => {
  const tally = new Tally();
  tally.refused(FROM, 'all_failed', 'emqx', server);
  const told = byScope(tally.flush());
  expect(Object.keys(told)).toEqual(scopes);
  for (const scope of scopes) expect(told[scope]).toEqual({ c: { 'refused:all_failed': 1 } });
});

test('P9: what a session holds is counted after a reload too, beside what comes new', () => {
  const tally = new Tally();
  const before = tally.way(FROM, 'emqx', 'a');
  before.session(1);
  tally.flush();
  tally.forget();
  before.session(-1);
  tally.way(FROM, 'emqx', 'a').session(1);
  const servers = tally.flush().filter(({ k }) => k === 'server');
  expect(servers.map(({ n, s }) => [n, s])).toEqual([
    ['emqx/a', -1],
    ['emqx/a', 1],
  ]);
});
