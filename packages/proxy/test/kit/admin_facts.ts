/** A snapshot by hand: one frontend, two backends, three servers, and something in every field. */
import type { Counts, Histogram } from '../../src/account/counters.ts';
import { LATENCY_BOUNDS_MS } from '../../src/account/counters.ts';
import type { HistoryFacts } from '../../src/admin/history.ts';
import type {
  BackendFacts,
  FrontendFacts,
  PeerFacts,
  ProxyFacts,
  ScopeFacts,
  ServerFacts,
  Snapshot,
  TaskFacts,
} from '../../src/admin/snapshot.ts';

const START_MS = 1_800_000_000_000;

export function scopeFacts(counts: Counts = {}): ScopeFacts {
  return { sessions: 3, sessionsMax: 5, rate: 1, rateMax: 4, counts: { sessions: 7, bytes_in: 100, ...counts } };
}

/** So many of one millisecond, and one that was longer than any bound. */
export function latencies(count: number): Histogram {
  const buckets = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  buckets[1] = count;
  buckets[LATENCY_BOUNDS_MS.length] = 1;
  return { buckets, sumMs: count + 20_000, count: count + 1 };
}

export function serverFacts(name: string, changes: Partial<ServerFacts> = {}): ServerFacts {
  return {
    ...scopeFacts({ picked: 9, 'connack:3:0': 6, 'connack:5:135': 1, 'stick:sticky': 4, 'stick:degraded': 1 }),
    ...{ name, host: `${name}.example`, address: '10.0.0.1', port: 1883 },
    ...{ admin: 'ready', verdict: 'up', suspect: false, reason: 'Layer7 check passed', checksEnabled: true },
    ...{ sinceMs: START_MS, downtimeMs: 1_500, weight: 1, weightConfigured: 1, backup: false, maxconn: null, conns: 3 },
    lastCheck: { status: 'L7OK', code: 0, durationMs: 2, atMs: START_MS, info: '' },
    ...{ connect: latencies(2), connack: latencies(3), dynamic: false },
    history: [{ atMs: START_MS, state: 'up', reason: 'Layer7 check passed' }],
    ...changes,
  };
}

export function backendFacts(name: string, servers: readonly ServerFacts[]): BackendFacts {
  return {
    ...scopeFacts({ 'refused:no_server': 2, 'end:client_closed': 5 }),
    ...{ name, mode: 'mqtt', balance: 'roundrobin', connect: latencies(4), connack: latencies(5), servers },
    stick: { field: 'client_id', size: 1000, expireMs: 60_000, shared: false, used: 12 },
  };
}

export function frontendFacts(name: string, backends: readonly string[]): FrontendFacts {
  return {
    ...scopeFacts({ connections: 11, 'connect:5.0': 8, 'refused:bad_connect': 1 }),
    ...{ name, mode: 'mqtt', state: 'open', defaultBackend: backends[0] ?? '', backends, maxconn: null, connRate: 50 },
    binds: [
      {
        ...scopeFacts({ connections: 11 }),
        label: '*:1883',
        address: '0.0.0.0',
        port: 1883,
        tls: false,
        websocket: false,
      },
    ],
  };
}

const INFO: ProxyFacts = {
  ...scopeFacts({ connections: 11 }),
  ...{ name: 'lb1', version: '0.1.0', node: 'v20.19.0', pid: 42, startedAtMs: START_MS, workers: 2, maxconn: 1000 },
  ...{
    store: 'redis',
    storeReachable: true,
    role: 'active',
    roleSinceMs: null,
    stopping: false,
    relay: 'native',
  },
  ...{ configPath: '/etc/limpet.yaml', reloads: 1, ulimitN: 4096, queued: 0, loopDelayMaxMs: 4.5 },
  lastReload: { atMs: START_MS, ok: true, summary: 'server emqx/emqx3 added' },
  upgrade: { predecessorPid: null, predecessorSessions: null, successorPid: null, failure: null },
};

/** A pair: this one is active, the other one has fallen silent. */
export const PEERS: readonly PeerFacts[] = [
  {
    ...{ name: 'lb1', self: true, version: '0.1.0', role: 'active', vip: ['10.0.0.100'], startedAtMs: START_MS },
    ...{ ready: true, state: 'alive', beatAgeMs: 0, conns: 3 },
  },
  {
    ...{ name: 'lb2', self: false, version: '0.0.9', role: 'standby', vip: ['10.0.0.100'], startedAtMs: START_MS },
    ...{ ready: null, state: 'silent', beatAgeMs: 12_000, conns: null },
  },
];

export const TASK: TaskFacts = {
  ...{ id: 7, kind: 'drain', backend: 'emqx', server: 'emqx2', state: 'running', rate: 200, total: 30, moved: 10 },
  ...{ left: 20, startedAtMs: START_MS, endedAtMs: null },
};

export function snapshotFacts(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    atMs: START_MS + 60_000,
    info: INFO,
    frontends: [frontendFacts('mqtt', ['emqx', 'other'])],
    backends: [
      backendFacts('emqx', [serverFacts('emqx1'), serverFacts('emqx2', { admin: 'drain', maxconn: 100 })]),
      { ...backendFacts('other', [serverFacts('o1', { verdict: 'no_check', lastCheck: null })]), stick: null },
    ],
    workers: [{ ...scopeFacts(), name: 'lb1/1', pid: 43, state: 'ready', startedAtMs: START_MS, loopDelayMaxMs: 2.5 }],
    tasks: [TASK],
    proxies: PEERS,
    ...changes,
  };
}

export const HISTORY: HistoryFacts = {
  stepMs: 10_000,
  atMs: [START_MS, START_MS + 10_000],
  ...{ sessions: [1, 2], connections: [1, 1], connects: [1, 1], accepted: [1, 0.5], refused: [0, 0.1] },
  ...{ bytesIn: [10, 20], bytesOut: [10, 20], connackP50Ms: [null, 1.5], connackP99Ms: [null, 9] },
  ends: { client_closed: [0, 1] },
  servers: { 'emqx/emqx1': [1, 2] },
};
