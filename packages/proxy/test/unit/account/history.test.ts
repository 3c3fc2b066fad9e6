import { expect, test } from 'vitest';
import type { TallyDelta } from '../../../src/account/counters.ts';
import { History } from '../../../src/account/history.ts';
import { quantileMs } from '../../../src/account/latency.ts';
import { Ledger } from '../../../src/account/ledger.ts';
import { backend, server } from '../route/backend.ts';

const STEP_MS = 10_000;
const WALL_MS = 1_700_000_000_000;

function scene() {
  const ledger = new Ledger();
  const history = new History(ledger, 0);
  let nowMs = 0;
  const step = (...deltas: TallyDelta[]): void => {
    ledger.tally(1, deltas);
    nowMs += STEP_MS;
    history.sample(nowMs, WALL_MS + nowMs);
  };
  return { ledger, history, step };
}

test('a sample tells sessions at its moment, and rates over its step', () => {
  const { history, step } = scene();
  const c = {
    ...{ connections: 100, 'connect:3.1.1': 60, 'connect:5.0': 30, 'connack:3:0': 50, 'connack:5:0': 20 },
    ...{ 'connack:5:135': 10, 'refused:refused_by_server': 10, 'refused:malformed': 5, bytes_in: 5000, bytes_out: 250 },
  };
  step({ k: 'worker', n: '', c, s: 70 }, { k: 'server', n: 'emqx/a', s: 70 });
  step({ k: 'worker', n: '', s: -20 }, { k: 'server', n: 'emqx/a', s: -20 });
  expect(history.facts()).toEqual({
    ...{ stepMs: STEP_MS, atMs: [WALL_MS + STEP_MS, WALL_MS + 2 * STEP_MS], sessions: [70, 50] },
    ...{ connections: [10, 0], connects: [9, 0], accepted: [7, 0], refused: [1.5, 0], bytesIn: [500, 0] },
    ...{ bytesOut: [25, 0], connackP50Ms: [null, null], connackP99Ms: [null, null], ends: {} },
    servers: { 'emqx/a': [70, 50] },
  });
});

test('P8: the death of a worker takes its sessions, and makes no rate negative', () => {
  const { ledger, history, step } = scene();
  step({ k: 'worker', n: '', c: { connections: 10 }, s: 10 });
  ledger.workerGone(1);
  step({ k: 'worker', n: '', c: { connections: 20 } });
  const { sessions, connections } = history.facts();
  expect([sessions, connections]).toEqual([
    [10, 0],
    [1, 2],
  ]);
});

test('what came later is as long as the rest; what has gone leaves', () => {
  const { ledger, history, step } = scene();
  step();
  step({ k: 'worker', n: '', c: { 'end:client_closed': 3 } }, { k: 'server', n: 'emqx/b', s: 4 });
  expect(history.facts()).toMatchObject({ ends: { client_closed: [0, 3] }, servers: { 'emqx/b': [0, 4] } });
  ledger.configure({ frontends: [], backends: [backend([server('a')])] });
  step({ k: 'server', n: 'emqx/b', s: -4 });
  ledger.tick(1000);
  step({ k: 'server', n: 'emqx/a', s: 1 });
  expect(history.facts().servers).toEqual({ 'emqx/a': [0, 0, 0, 1] });
});

test('latency is that of the step alone', () => {
  const { history, step } = scene();
  step({ k: 'worker', n: '', connack: [30, [3, 10]] });
  step({ k: 'worker', n: '', connack: [15_000, [9, 99], [13, 1]] });
  const { connackP50Ms, connackP99Ms } = history.facts();
  expect(connackP50Ms.map(ms => Math.round(ms ?? 0))).toEqual([4, 352]);
  expect(connackP99Ms.map(ms => Math.round(ms ?? 0))).toEqual([5, 500]);
});

test('an hour is kept, of 200 servers too', () => {
  const { history, step } = scene();
  const servers = Array.from({ length: 200 }, (_, at): TallyDelta => ({ k: 'server', n: `emqx/s${at}`, s: 1 }));
  step({ k: 'worker', n: '', c: { 'end:killed': 1 } });
  for (let sample = 0; sample < 360; sample++) step(...servers);
  const facts = history.facts();
  expect([facts.atMs.length, facts.atMs[0], Object.keys(facts.servers).length]).toEqual([
    360,
    WALL_MS + 2 * STEP_MS,
    200,
  ]);
  expect(facts.servers['emqx/s7']?.slice(0, 2)).toEqual([1, 2]);
  // It ended more than an hour ago.
  expect(facts.ends).toEqual({});
});

test.each([
  [[], 0.5, null],
  [[0, 0, 0], 0.5, null],
  [[2], 0.5, 0.25],
  [[0, 4], 1, 1],
  [[1, 0, 0, 1], 0.99, 4.94],
  [new Array<number>(14).fill(0).concat(3), 0.5, 10_000],
])('of the buckets %j the quantile %d is %d ms', (buckets, q, ms) => {
  const found = quantileMs(buckets, q);
  expect(found === null ? null : Math.round(found * 100) / 100).toBe(ms);
});
