/** A proxy with one frontend and two backends, as its faces see it. */
import type { SessionFacts } from '../../../../src/account/session_facts.ts';
import type {
  BackendFacts,
  FrontendFacts,
  ProxyFacts,
  ScopeFacts,
  ServerFacts,
  Snapshot,
} from '../../../../src/admin/snapshot.ts';

export const NOW_MS: number = Date.UTC(2026, 10, 20, 12, 0, 0);

const SCOPE: ScopeFacts = { sessions: 0, sessionsMax: 0, rate: 0, rateMax: 0, counts: {} };
const NO_TIMES = { buckets: [], sumMs: 0, count: 0 };

export function server(name: string, more: Partial<ServerFacts> = {}): ServerFacts {
  return {
    ...SCOPE,
    name,
    host: '10.0.0.1',
    address: '10.0.0.1',
    port: 1883,
    admin: 'ready',
    verdict: 'up',
    suspect: false,
    reason: '',
    sinceMs: NOW_MS - 60_000,
    downtimeMs: 0,
    checksEnabled: true,
    lastCheck: { status: 'L7OK', code: 0, durationMs: 1.6, atMs: NOW_MS - 500, info: '' },
    weight: 1,
    weightConfigured: 1,
    backup: false,
    maxconn: null,
    conns: 0,
    connect: NO_TIMES,
    connack: NO_TIMES,
    history: [],
    dynamic: false,
    ...more,
  };
}

export function backend(name: string, servers: readonly ServerFacts[], more: Partial<BackendFacts> = {}): BackendFacts {
  return {
    ...SCOPE,
    name,
    mode: 'mqtt',
    balance: 'roundrobin',
    connect: NO_TIMES,
    connack: NO_TIMES,
    stick: { field: 'client_id', size: 102_400, expireMs: 1_800_000, shared: false, used: 2 },
    servers,
    ...more,
  };
}

export function frontend(name: string, more: Partial<FrontendFacts> = {}): FrontendFacts {
  return {
    ...SCOPE,
    name,
    mode: 'mqtt',
    state: 'open',
    defaultBackend: 'emqx',
    backends: ['emqx'],
    maxconn: null,
    connRate: null,
    binds: [{ ...SCOPE, label: '*:1883', address: '0.0.0.0', port: 1883, tls: false, websocket: false }],
    ...more,
  };
}

const INFO: ProxyFacts = {
  ...SCOPE,
  name: 'lb1',
  version: '0.1.0',
  node: 'v20.19.0',
  pid: 4711,
  startedAtMs: NOW_MS - 90_061_000,
  workers: 2,
  maxconn: 100_000,
  store: 'memory',
  storeReachable: true,
  role: 'active',
  roleSinceMs: null,
  stopping: false,
  relay: 'node',
  configPath: '/etc/limpet/limpet.yaml',
  reloads: 0,
  lastReload: null,
  upgrade: { predecessorPid: null, predecessorSessions: null, successorPid: null, failure: null },
  ulimitN: 1024,
  queued: 0,
  loopDelayMaxMs: 4.25,
};

export function snapshot(more: Partial<Snapshot> = {}, info: Partial<ProxyFacts> = {}): Snapshot {
  const worker = { ...SCOPE, state: 'ready' as const, startedAtMs: NOW_MS - 90_061_000, loopDelayMaxMs: 1.5 };
  const emqx = [
    server('emqx1', { counts: { sessions: 2, picked: 3, bytes_in: 11, bytes_out: 22 }, sessions: 1, sessionsMax: 2 }),
    server('emqx2', { verdict: 'down', reason: 'Layer4 connection problem', address: '10.0.0.2', host: 'b2.example' }),
    server('emqx3', { verdict: 'no_check', lastCheck: null, checksEnabled: false, backup: true }),
  ];
  return {
    atMs: NOW_MS,
    info: { ...INFO, ...info },
    proxies: [],
    frontends: [frontend('mqtt')],
    backends: [backend('emqx', emqx), backend('raw', [server('r1')], { mode: 'tcp', stick: null })],
    workers: [
      { ...worker, name: 'lb1/1', pid: 4712, sessions: 1, counts: { connections: 10 } },
      { ...worker, name: 'lb1/2', pid: 4713, counts: { connections: 4 } },
    ],
    tasks: [],
    ...more,
  };
}

export function session(more: Partial<SessionFacts> = {}): SessionFacts {
  return {
    worker: 'lb1/2',
    id: 1_795_182_039_534,
    frontend: 'mqtt',
    bind: '*:1883',
    client: '192.0.2.7:50123',
    clientId: 'dev-1',
    username: null,
    version: '3.1.1',
    tls: null,
    websocket: false,
    stage: 'relay',
    backend: 'emqx',
    server: 'emqx1',
    how: 'sticky',
    retries: 0,
    acceptedAtMs: Date.now() - 65_000,
    linkedAtMs: Date.now() - 64_990,
    bytesIn: 42,
    bytesOut: 17,
    keepAliveS: 60,
    ...more,
  };
}
