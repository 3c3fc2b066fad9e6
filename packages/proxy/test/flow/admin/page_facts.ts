/** Facts of a proxy that never was, for the page's tests: three brokers of which one is being drained, and a large fleet. */
import type { Histogram } from '../../../src/account/counters.ts';
import { LATENCY_BOUNDS_MS } from '../../../src/account/counters.ts';
import type { SessionFacts } from '../../../src/account/session_facts.ts';
import type { HistoryFacts } from '../../../src/admin/history.ts';
import type { BackendFacts, ScopeFacts, ServerFacts, Snapshot } from '../../../src/admin/snapshot.ts';

const HOUR_MS = 3_600_000;
const SAMPLES = 360;
const STEP_MS = 10_000;

/** Always the same numbers, so that two runs look alike. */
function wave(seed: number, at: number): number {
  return (Math.sin(seed * 7.3 + at / 23) + Math.sin(seed * 3.1 + at / 7)) / 2;
}

function scope(sessions: number, rate: number, counts: ScopeFacts['counts'] = {}): ScopeFacts {
  return { sessions, sessionsMax: sessions + 120, rate, rateMax: rate + 40, counts };
}

function histogram(aroundMs: number, count: number): Histogram {
  const middle = LATENCY_BOUNDS_MS.findIndex(bound => bound >= aroundMs);
  const buckets = [...LATENCY_BOUNDS_MS, 0].map((_, at) => Math.round(count / 4 ** Math.abs(at - middle)));
  return { buckets, sumMs: aroundMs * count, count: buckets.reduce((sum, value) => sum + value, 0) };
}

export function server(name: string, number: number, nowMs: number, more: Partial<ServerFacts> = {}): ServerFacts {
  const sessions = more.sessions ?? 1000 + Math.round(40 * wave(number, 1));
  return {
    ...scope(sessions, 30 + (number % 7), {
      ...{ sessions: sessions * 37, picked: sessions * 38, bytes_in: sessions * 91_000, bytes_out: sessions * 412_000 },
      ...{ 'stick:sticky': sessions * 30, 'stick:new': sessions * 6, 'stick:moved': sessions },
      ...{ 'connack:5:0': sessions * 20, 'connack:3:0': sessions * 17, 'failed:dial': number % 4, checks: 8123 },
    }),
    ...{ name, host: `10.0.${Math.floor(number / 250)}.${number % 250}`, port: 1883, admin: 'ready', verdict: 'up' },
    ...{ address: `10.0.${Math.floor(number / 250)}.${number % 250}`, suspect: false, reason: '', dynamic: false },
    ...{ sinceMs: nowMs - 3 * HOUR_MS - number * 60_000, downtimeMs: number * 1000, checksEnabled: true },
    lastCheck: { status: 'L7OK', code: 0, durationMs: 1.2 + (number % 5), atMs: nowMs - 1200, info: '' },
    ...{ weight: 1, weightConfigured: 1, backup: false, maxconn: 5000, conns: sessions + 1 },
    ...{ connect: histogram(1, 9000), connack: histogram(5, 9000) },
    history: [
      { atMs: nowMs - 3 * HOUR_MS, state: 'UP', reason: 'Layer7 check passed, code: 0' },
      { atMs: nowMs - 3.2 * HOUR_MS, state: 'DOWN', reason: 'Layer4 connection problem (ECONNREFUSED)' },
    ],
    ...more,
  };
}

export function backend(name: string, servers: readonly ServerFacts[]): BackendFacts {
  const sessions = servers.reduce((sum, one) => sum + one.sessions, 0);
  return {
    ...scope(sessions, servers.length * 11, {
      ...{ sessions: sessions * 37, bytes_in: sessions * 91_000, bytes_out: sessions * 412_000 },
      ...{ retries: 14, reroutes: 9, 'failed:dial': 12, 'failed:connack_timeout': 2 },
    }),
    ...{ name, mode: 'mqtt', balance: 'roundrobin', servers },
    ...{ connect: histogram(1, 30_000), connack: histogram(5, 30_000) },
    stick: { field: 'client_id', size: 100_000, expireMs: 1_800_000, shared: false, used: sessions + 812 },
  };
}

const DOWN: Partial<ServerFacts> = {
  ...{ verdict: 'down', reason: 'Layer4 connection problem (ECONNREFUSED)', sessions: 0 },
  lastCheck: { status: 'L4CON', code: null, durationMs: 0.4, atMs: 0, info: 'ECONNREFUSED' },
};

/** Servers of many states: most are up. */
export function fleet(size: number, nowMs: number, jitter: number): readonly ServerFacts[] {
  return Array.from({ length: size }, (_, at) => {
    const name = `edge-${String(at + 1).padStart(3, '0')}`;
    const number = at + 1;
    if (at % 67 === 5) return server(name, number, nowMs, { ...DOWN, sinceMs: nowMs - 95_000 });
    if (at % 83 === 9) return server(name, number, nowMs, { admin: 'maint', sessions: 0, checksEnabled: false });
    if (at % 71 === 2) return server(name, number, nowMs, { suspect: true, reason: 'Layer7 timeout' });
    if (at % 97 === 3) return server(name, number, nowMs, { verdict: 'no_check', lastCheck: null });
    return server(name, number, nowMs, { sessions: 400 + Math.round(60 * wave(number, jitter)) });
  });
}

/** A pair, and one more that has fallen silent, with a name as nobody should have. */
function proxiesOf(sessions: number, nowMs: number): Snapshot['proxies'] {
  const vip = ['10.0.0.100', 'fd00::100'];
  const one = {
    self: false,
    version: '0.4.0',
    ready: true,
    vip,
    startedAtMs: nowMs - 27.4 * HOUR_MS,
    state: 'alive',
    beatAgeMs: 400,
  };
  const lb3 = { ...one, name: 'lb3<b>\u202e', vip: [], state: 'silent', beatAgeMs: 95_000 } as const;
  return [
    { ...one, ...{ name: 'lb1', self: true, role: 'active', state: 'alive', beatAgeMs: 0, conns: sessions } },
    { ...one, ...{ name: 'lb2', role: 'standby', ready: false, state: 'alive', conns: 0 } },
    { ...lb3, ...{ role: 'active', conns: null } },
  ];
}

export function snapshotOf(backends: readonly BackendFacts[], tasks: Snapshot['tasks'], nowMs: number): Snapshot {
  const sessions = backends.reduce((sum, one) => sum + one.sessions, 0);
  const counts = { sessions: sessions * 37, bytes_in: sessions * 91_000, bytes_out: sessions * 412_000 };
  const way = { ...counts, connections: sessions * 40, 'connect:5.0': sessions * 21, 'connect:3.1.1': sessions * 17 };
  const binds = [
    {
      ...scope(sessions - 900, 80, way),
      label: '*:1883',
      address: '0.0.0.0',
      port: 1883,
      tls: false,
      websocket: false,
    },
    { ...scope(900, 4, way), label: '*:8083', address: '0.0.0.0', port: 8083, tls: true, websocket: true },
  ];
  return {
    ...{ atMs: nowMs, backends, tasks, proxies: proxiesOf(sessions, nowMs) },
    info: {
      ...scope(sessions, 84, counts),
      ...{
        name: 'lb1',
        version: '0.4.0',
        node: 'v20.20.2',
        pid: 4711,
        startedAtMs: nowMs - 27.4 * HOUR_MS,
        loopDelayMaxMs: 3.2,
      },
      ...{
        workers: 2,
        maxconn: 100_000,
        store: 'redis',
        storeReachable: true,
        role: 'active',
        roleSinceMs: nowMs - 4.2 * HOUR_MS,
        stopping: false,
      },
      ...{ relay: 'node streams', configPath: '/etc/limpet/limpet.yaml', reloads: 2, lastReload: null },
      ...{
        upgrade: { predecessorPid: null, predecessorSessions: null, successorPid: null, failure: null },
        ulimitN: 262_144,
        queued: 3,
        loopDelayMaxMs: 4.1,
      },
    },
    frontends: [
      {
        ...scope(sessions, 84, { ...way, 'refused:bad_connect': 31, 'refused:denied': 4 }),
        ...{
          name: 'mqtt',
          mode: 'mqtt',
          state: 'open',
          defaultBackend: 'emqx',
          backends: backends.map(one => one.name),
          maxconn: 50_000,
          connRate: null,
          binds,
        },
      },
    ],
    workers: [1, 2].map(number => ({
      ...scope(Math.round(sessions / 2), 42, counts),
      ...{
        name: `lb1/${number}`,
        pid: 4711 + number,
        state: 'ready',
        startedAtMs: nowMs - 27.4 * HOUR_MS,
        loopDelayMaxMs: 3.2,
      },
    })),
  };
}

export function historyOf(backends: readonly BackendFacts[], nowMs: number): HistoryFacts {
  const each = <T>(value: (at: number) => T): T[] => Array.from({ length: SAMPLES }, (_, at) => value(at));
  const servers = backends.flatMap(({ name, servers: all }) =>
    all.map((one, number) => {
      const samples = each(at => Math.max(0, Math.round(one.sessions + 50 * wave(number, at))));
      return [`${name}/${one.name}`, samples] as const;
    }),
  );
  const storm = (at: number): number => (at > 200 && at < 216 ? 340 - Math.abs(208 - at) * 38 : 0);
  return {
    stepMs: STEP_MS,
    atMs: each(at => nowMs - (SAMPLES - 1 - at) * STEP_MS),
    sessions: each(at => 3000 + 90 * wave(1, at)),
    connections: each(at => 86 + 12 * wave(2, at) + storm(at)),
    connects: each(at => 84 + 12 * wave(2, at) + storm(at)),
    accepted: each(at => 82 + 12 * wave(2, at) + storm(at) * 0.8),
    refused: each(at => Math.max(0, 0.6 + wave(3, at)) + storm(at) * 0.2),
    bytesIn: each(at => 1e6 + 1e5 * wave(4, at)),
    bytesOut: each(at => 4e6 + 4e5 * wave(5, at)),
    connackP50Ms: each(at => (at > 120 && at < 128 ? null : 4 + wave(6, at) + storm(at) / 20)),
    connackP99Ms: each(at => (at > 120 && at < 128 ? null : 24 + 9 * wave(7, at) + storm(at))),
    ends: {
      client_closed: each(at => Math.round(600 + 90 * wave(8, at))),
      client_reset: each(at => Math.round(90 + 30 * wave(9, at))),
      client_idle: each(at => Math.round(60 + 20 * wave(10, at))),
      server_closed: each(at => Math.round(storm(at) * 4)),
    },
    servers: Object.fromEntries(servers),
  };
}

export function sessionOf(clientId: string, nowMs: number): SessionFacts {
  return {
    ...{ worker: 'lb1/2', id: 90_317, frontend: 'mqtt', bind: '*:8083', client: '203.0.113.7:50122', clientId },
    ...{ username: null, version: '5.0', tls: 'TLSv1.3', websocket: true, stage: 'relay', backend: 'emqx' },
    ...{ server: 'emqx1', how: 'moved', retries: 1, acceptedAtMs: nowMs - 7_512_000, linkedAtMs: nowMs - 7_511_960 },
    ...{ bytesIn: 812_331, bytesOut: 5_120_400, keepAliveS: 60 },
  };
}
