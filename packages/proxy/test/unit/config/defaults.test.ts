import { availableParallelism, hostname } from 'node:os';
import { expect, test } from 'vitest';
import type { BackendConfig, CheckConfig, Config } from '../../../src/config/resolved.ts';
import { configOf, loadText, withBackend } from './scratch.ts';

const SMALLEST = `
frontends: { mqtt: { bind: '*:1883', default_backend: emqx } }
backends: { emqx: { servers: { emqx1: 10.0.0.1 } } }
`;

test('the smallest configuration has every default', () => {
  const expected: Config = {
    path: '%',
    files: ['%/limpet.yaml'],
    global: {
      name: hostname().replaceAll(/[^A-Za-z0-9_.-]/g, '-'),
      workers: availableParallelism(),
      relay: 'auto',
      cpuMap: null,
      maxconn: 100_000,
      hardStopAfterMs: 30_000,
      prereadMemoryBytes: 67_108_864,
      resolveEveryMs: 10_000,
      log: { level: 'info', format: 'json', usernames: false, target: { kind: 'stdout' }, sample: null },
      tls: { ticketSecret: null, ticketRotateMs: 43_200_000, maxHandshakes: 64, handshakeQueue: 10_000 },
      runtimeApi: [],
      stats: null,
      vip: null,
    },
    state: { store: 'memory' },
    frontends: [
      {
        name: 'mqtt',
        mode: 'mqtt',
        binds: [{ label: '*:1883', host: '0.0.0.0', port: 1883, acceptProxy: [], tls: null, websocket: null }],
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
      },
    ],
    backends: [
      {
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
        servers: [
          {
            name: 'emqx1',
            host: '10.0.0.1',
            port: 1883,
            weight: 1,
            backup: false,
            maxconn: null,
            source: [],
            slowstartMs: 0,
            sendProxy: null,
            check: {
              probe: { type: 'mqtt', username: null, password: null },
              interMs: 2_000,
              fastinterMs: 1_000,
              downinterMs: 2_000,
              rise: 2,
              fall: 3,
              timeoutMs: 2_000,
              port: null,
            },
            tls: null,
            websocket: null,
          },
        ],
      },
    ],
  };
  expect(loadText(SMALLEST)).toEqual({ ok: true, config: expected, warnings: [] });
});

test('redis alone has every default', () => {
  const target = { kind: 'server', url: 'redis://127.0.0.1:6379/0', login: null, database: null, tls: null };
  const redis = { target, prefix: 'limpet', timeoutMs: 100 };
  expect(configOf(`state: { store: redis }\n${SMALLEST}`).state).toEqual({ store: 'redis', redis });
});

test('defaults hold for frontends and backends that do not say otherwise', () => {
  const config = configOf(`
defaults:
  timeout: { handshake: 8s, inspect: 1s, connect: 2s, connack: 3s, client: 4m, server: 5m }
  retries: 6
  max_connect_size: 7k
frontends:
  one: { bind: '*:0', default_backend: one }
  two:
    bind: { address: '*:0', websocket: true }
    default_backend: two
    timeout: { handshake: 9s, inspect: 10s, client: 11m }
    max_connect_size: 12k
backends:
  one: { servers: { a: 10.0.0.1 } }
  two: { servers: { a: 10.0.0.1 }, timeout: { connect: 13s, connack: 14s, server: 15m }, retries: 0 }
`);
  expect(config.frontends).toMatchObject([
    { handshakeMs: 8_000, inspectMs: 1_000, clientMs: 240_000, maxConnectSizeBytes: 7_168 },
    { handshakeMs: 9_000, inspectMs: 10_000, clientMs: 660_000, maxConnectSizeBytes: 12_288 },
  ]);
  expect(config.backends).toMatchObject([
    { connectMs: 2_000, connackMs: 3_000, serverMs: 300_000, retries: 6 },
    { connectMs: 13_000, connackMs: 14_000, serverMs: 900_000, retries: 0 },
  ]);
});

function backendOf(text: string): BackendConfig | undefined {
  return configOf(withBackend(text)).backends[0];
}

function checkOf(backend: string, server: string): CheckConfig | null | undefined {
  return backendOf(`${backend}servers: { a: { address: 10.0.0.1, ${server} } }`)?.servers[0]?.check;
}

const mqtt = { type: 'mqtt', username: null, password: null };

test.each<readonly [backend: string, server: string, check: object | null]>([
  ['check: false', '', null],
  ['check: true', '', { interMs: 2_000, probe: mqtt }],
  ['check: false', 'check: true', { interMs: 2_000, probe: mqtt }],
  ['check: false', 'check: { fall: 5 }', { fall: 5, probe: mqtt }],
  ['check: { inter: 5s }', 'check: false', null],
  ['check: { inter: 500ms }', '', { interMs: 500, fastinterMs: 500, downinterMs: 500, timeoutMs: 500 }],
  [
    'check: { inter: 5s, rise: 4 }',
    'check: { rise: 1 }',
    { interMs: 5_000, fastinterMs: 1_000, timeoutMs: 2_000, rise: 1 },
  ],
  ['check: { inter: 5s, timeout: 9s }', 'check: { inter: 1s }', { interMs: 1_000, timeoutMs: 9_000 }],
  [
    'check: { username: u, password: p }',
    'check: { fall: 9 }',
    { fall: 9, probe: { ...mqtt, username: 'u', password: 'p' } },
  ],
  ['check: { username: u, password: p }', 'check: { type: tcp }', { probe: { type: 'tcp' } }],
  ['check: { type: tcp, port: 9 }', '', { probe: { type: 'tcp' }, port: 9 }],
  [
    'check: { preset: hivemq }',
    '',
    { port: 8889, probe: { type: 'http', method: 'GET', path: '/api/v1/health/readiness' } },
  ],
  [
    'check: { preset: rabbitmq }',
    '',
    { port: 15_672, probe: { path: '/api/health/checks/is-in-service', expect: [200] } },
  ],
  ['check: { preset: vernemq, port: 80 }', '', { port: 80, probe: { path: '/health' } }],
  [
    'check: { preset: emqx }',
    'check: { port: 81 }',
    { port: 81, probe: { path: '/api/v5/load_rebalance/availability_check' } },
  ],
  ['check: { preset: emqx }', 'check: { type: mqtt }', { port: null, probe: mqtt }],
  ['check: { preset: emqx }', 'check: { preset: hivemq }', { port: 8889 }],
  ['check: { fall: 7 }', 'check: { preset: hivemq }', { port: 8889, fall: 7 }],
  [
    'check: { type: http, port: 80, method: HEAD, path: /h, host: broker, expect: [200, 204] }',
    '',
    { port: 80, probe: { type: 'http', method: 'HEAD', path: '/h', host: 'broker', expect: [200, 204] } },
  ],
  ['check: { type: http, port: 80, expect: 204 }', '', { probe: { path: '/', host: null, expect: [204] } }],
])('%s, and on the server %s', (backend, server, check) => {
  const found = checkOf(`${backend}\n    `, server);
  if (check === null) expect(found).toBeNull();
  else expect(found).toMatchObject(check);
});

test.each<readonly [backend: string, server: string, sendProxy: object | null]>([
  ['', '', null],
  ['send_proxy: v1\n    ', '', { version: 1, tlvs: [] }],
  ['send_proxy: v2\n    ', '', { version: 2, tlvs: [] }],
  ['send_proxy: v2\n    ', 'send_proxy: none', null],
  ['', 'send_proxy: { version: 2, tlvs: [unique_id, unique_id] }', { version: 2, tlvs: ['unique_id'] }],
  ['send_proxy: { version: 2, tlvs: [ssl, cn] }\n    ', '', { version: 2, tlvs: ['ssl', 'cn'] }],
  ['send_proxy: { version: 1 }\n    ', '', { version: 1, tlvs: [] }],
])('PROXY header: %s, and on the server %s', (backend, server, sendProxy) => {
  const [found] = backendOf(`${backend}servers: { a: { address: 10.0.0.1, ${server} } }`)?.servers ?? [];
  expect(found?.sendProxy).toEqual(sendProxy);
});

test.each<readonly [written: string, stick: object | null]>([
  ['false', null],
  ['true', { field: 'client_id', match: null }],
  ['{ on: username, expire: 1d }', { field: 'username', match: null, expireMs: 86_400_000 }],
  ["{ on: { field: source, match: '^(.*)$' } }", { field: 'source', match: '^(.*)$' }],
  ['{ clean_sessions: false, size: 5 }', { cleanSessions: false, size: 5 }],
])('stick: %s', (written, stick) => {
  const found = backendOf(`stick: ${written}\n    servers: { a: 10.0.0.1 }`)?.stick;
  if (stick === null) expect(found).toBeNull();
  else expect(found).toMatchObject(stick);
});

test('servers keep the order in which they are written, also where their names are numbers', () => {
  const servers = backendOf(
    'slowstart: 5s\n    servers: { z: 10.0.0.1, 10: 10.0.0.2, 2: { address: 10.0.0.3, slowstart: 0 } }',
  )?.servers;
  expect(servers?.map(server => [server.name, server.slowstartMs])).toEqual([
    ['z', 5_000],
    ['10', 5_000],
    ['2', 0],
  ]);
});
