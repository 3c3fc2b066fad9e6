import type { Config } from '@limpet/proxy';
import { describe, expect, it } from 'vitest';
import { describeFrontends } from '../../src/frontend_line.ts';

type Frontend = Config['frontends'][number];
type Backend = Config['backends'][number];
type Server = Backend['servers'][number];

const server = (name: string, backup = false): Server => ({
  name,
  host: '10.0.0.1',
  port: 1883,
  weight: 1,
  backup,
  maxconn: null,
  source: [],
  slowstartMs: 0,
  sendProxy: null,
  check: null,
  tls: null,
  websocket: null,
});

const backend: Backend = {
  name: 'emqx',
  mode: 'mqtt',
  balance: 'roundrobin',
  stick: { field: 'client_id', match: null, size: 102_400, expireMs: 1_800_000, cleanSessions: true },
  retries: 3,
  connectMs: 10_000,
  connackMs: 10_000,
  serverMs: null,
  onMarkedDown: 'shutdown_sessions',
  connectRate: null,
  servers: [server('emqx1'), server('emqx2'), server('emqx3')],
};

const plain = { acceptProxy: [], tls: null, websocket: null };

const frontend: Frontend = {
  name: 'mqtt',
  mode: 'mqtt',
  binds: [{ label: '*:1883', host: '0.0.0.0', port: 1883, ...plain }],
  defaultBackend: 'emqx',
  routes: [],
  sniRoutes: [],
  allow: [],
  deny: [],
  maxconn: null,
  connRate: null,
  perSource: { maxconn: null, connRate: null, connectRate: null },
  connectRate: null,
  handshakeMs: 10_000,
  maxConnectSizeBytes: 524_288,
  inspectMs: 10_000,
  clientMs: null,
};

const config = (frontends: Frontend[], backends: Backend[]): Config => ({
  path: '/etc/limpet.yaml',
  files: [],
  global: {
    name: 'lb1',
    workers: 1,
    relay: 'auto',
    cpuMap: null,
    maxconn: 1,
    hardStopAfterMs: 1,
    prereadMemoryBytes: 1,
    resolveEveryMs: 1,
    log: { level: 'info', format: 'json', usernames: false, target: { kind: 'stdout' }, sample: null },
    tls: { ticketSecret: null, ticketRotateMs: 1, maxHandshakes: 1, handshakeQueue: 1 },
    runtimeApi: [],
    stats: null,
    vip: null,
  },
  state: { store: 'memory' },
  frontends,
  backends,
});

describe('one line per frontend', () => {
  const cases: [string, Partial<Backend>, string][] = [
    ['sticky', {}, 'roundrobin, stick on client_id, 3 servers'],
    ['one server, not sticky', { stick: null, servers: [server('a')] }, 'roundrobin, not sticky, 1 server'],
    [
      'a pattern and a backup',
      {
        balance: 'leastconn',
        stick: { field: 'username', match: '^(\\w+)@', size: 1, expireMs: 1, cleanSessions: true },
        servers: [server('a'), server('b', true)],
      },
      'leastconn, stick on username matching ^(\\w+)@, 2 servers, 1 of them backup',
    ],
  ];
  it.each(cases)('%s', (_, changed, expected) => {
    expect(describeFrontends(config([frontend], [{ ...backend, ...changed }]))).toEqual([
      `frontend mqtt: *:1883 → emqx (${expected})`,
    ]);
  });

  it('names every bind, and each frontend with its own backend', () => {
    const inside: Frontend = {
      ...frontend,
      name: 'inside',
      defaultBackend: 'other',
      binds: [...frontend.binds, { label: '[::1]:2883', host: '::1', port: 2883, ...plain }],
    };
    const other: Backend = { ...backend, name: 'other', balance: 'source', stick: null };
    expect(describeFrontends(config([frontend, inside], [backend, other]))).toEqual([
      'frontend mqtt: *:1883 → emqx (roundrobin, stick on client_id, 3 servers)',
      'frontend inside: *:1883, [::1]:2883 → other (source, not sticky, 3 servers)',
    ]);
  });
});
