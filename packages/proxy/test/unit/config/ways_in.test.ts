import { describe, expect, test } from 'vitest';
import type { BackendConfig, FrontendConfig } from '../../../src/config/resolved.ts';
import { configOf, loadFiles } from './scratch.ts';

/** A frontend with these keys, before a backend with those. */
function text(frontend: string, backend = 'servers: { a: "10.0.0.1:1883" }'): string {
  return `frontends:\n  f:\n    default_backend: b\n    ${frontend}\nbackends:\n  b:\n    ${backend}\n`;
}

/** The same with files that may be named. */
function load(written: string, files: readonly string[] = []): { frontend: FrontendConfig; backend: BackendConfig } {
  const loaded = loadFiles({ 'limpet.yaml': written, ...Object.fromEntries(files.map(name => [name, 'PEM'])) });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings).toEqual([]);
  const [frontend] = loaded.config.frontends;
  const [backend] = loaded.config.backends;
  if (frontend === undefined || backend === undefined) throw new Error('no frontend or no backend');
  return { frontend, backend };
}

const TLS = {
  certs: ['%/a.pem'],
  key: null,
  clientCa: null,
  verify: 'none',
  crl: null,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: null,
  curves: null,
  alpn: [],
  strictSni: false,
};

describe('tls on a bind', () => {
  test.each<readonly [tls: string, expected: object]>([
    ['{ cert: a.pem }', {}],
    ['{ cert: [a.pem, certs, ./a.pem] }', { certs: ['%/a.pem', '%/certs'] }],
    ['{ cert: a.pem, key: certs/b.pem }', { key: '%/certs/b.pem' }],
    ['{ cert: a.pem, client_ca: a.pem, crl: a.pem }', { clientCa: '%/a.pem', crl: '%/a.pem', verify: 'required' }],
    ['{ cert: a.pem, client_ca: a.pem, verify: optional }', { clientCa: '%/a.pem', verify: 'optional' }],
    ['{ cert: a.pem, min_version: 1.3 }', { minVersion: 'TLSv1.3' }],
    ['{ cert: a.pem, max_version: TLSv1.2 }', { maxVersion: 'TLSv1.2' }],
    ['{ cert: a.pem, ciphers: "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256" }', { ciphers: expect.any(String) }],
    ['{ cert: a.pem, curves: "X25519:P-256" }', { curves: 'X25519:P-256' }],
    [
      '{ cert: a.pem, alpn: [mqtt, http/1.1, mqtt], strict_sni: true }',
      { alpn: ['mqtt', 'http/1.1'], strictSni: true },
    ],
  ])('%s', (tls, expected) => {
    const { frontend } = load(text(`bind: { address: "*:8883", tls: ${tls} }`), ['a.pem', 'certs/b.pem']);
    expect(frontend.binds[0]?.tls).toEqual({ ...TLS, ...expected });
  });

  test('paths begin at the folder of the file that names them', () => {
    const files = { 'one.yaml': text('bind: { address: "*:1", tls: { cert: deep/a.pem } }'), 'deep/a.pem': '' };
    expect(loadFiles(files)).toMatchObject({
      config: { frontends: [{ binds: [{ tls: { certs: ['%/deep/a.pem'] } }] }] },
    });
  });
});

const WEBSOCKET = { paths: ['/mqtt'], origins: null, trustForwarded: [], idleMs: 60_000 };

test.each<readonly [bind: string, expected: object | null]>([
  ['"*:8083"', null],
  ['{ address: "*:8083" }', null],
  ['{ address: "*:8083", websocket: false }', null],
  ['{ address: "*:8083", websocket: true }', WEBSOCKET],
  [
    '{ address: "*:8083", websocket: { path: [/, /ws], idle: 10s } }',
    { ...WEBSOCKET, paths: ['/', '/ws'], idleMs: 10_000 },
  ],
  [
    '{ address: "*:8083", websocket: { origins: ["https://Example.com:443/", "http://localhost:8000"] } }',
    { ...WEBSOCKET, origins: ['https://example.com', 'http://localhost:8000'] },
  ],
  [
    '{ address: "*:8083", websocket: { trust_forwarded: [10.0.0.0/8, "::1"] } }',
    { ...WEBSOCKET, trustForwarded: ['10.0.0.0/8', '::1/128'] },
  ],
])('websocket on a bind: %s', (bind, expected) => {
  expect(load(text(`bind: ${bind}`)).frontend.binds[0]?.websocket).toEqual(expected);
});

test('who is let in, and how fast', () => {
  const { frontend, backend } = load(
    text(
      `bind: [{ address: "*:1883", accept_proxy: 10.0.0.9 }, { address: "*:1884", accept_proxy: ["10.0.0.0/8", "::1"] }]
    allow: 10.0.0.0/8
    deny: [10.6.6.6, "2001:db8::/32", 10.6.6.6]
    maxconn: 5000
    conn_rate: 1000/s
    source: { maxconn: 10, conn_rate: 60/m, connect_rate: 5/s }
    connect_rate: 500/s
    timeout: { handshake: 5s }`,
      'connect_rate: { limit: 30000/m, queue: 10, queue_timeout: 2s }\n    servers: { a: 10.0.0.1 }',
    ),
  );
  expect(frontend.binds.map(bind => bind.acceptProxy)).toEqual([['10.0.0.9/32'], ['10.0.0.0/8', '::1/128']]);
  expect(frontend).toMatchObject({
    allow: ['10.0.0.0/8'],
    deny: ['10.6.6.6/32', '2001:db8::/32'],
    maxconn: 5000,
    connRate: 1000,
    perSource: { maxconn: 10, connRate: 1, connectRate: 5 },
    connectRate: { limit: 500, queue: 20_000, queueTimeoutMs: 30_000 },
    handshakeMs: 5_000,
  });
  expect(backend.connectRate).toEqual({ limit: 500, queue: 10, queueTimeoutMs: 2_000 });
});

const NOTHING = { exact: [], prefixes: [], patterns: [], cidrs: [] };

describe('rules', () => {
  test.each<readonly [when: string, conditions: readonly object[]]>([
    ['{}', []],
    ['{ client_id: dev1 }', [{ ...NOTHING, field: 'client_id', exact: ['dev1'] }]],
    ['{ client_id: [dev1, ""] }', [{ ...NOTHING, field: 'client_id', exact: ['dev1', ''] }]],
    [
      '{ username: { prefix: a-, exact: [b, c] } }',
      [{ ...NOTHING, field: 'username', prefixes: ['a-'], exact: ['b', 'c'] }],
    ],
    ["{ client_id: { regex: ['^a', 'b$'] } }", [{ ...NOTHING, field: 'client_id', patterns: ['^a', 'b$'] }]],
    [
      '{ sni: { exact: A.Example.com, prefix: B. } }',
      [{ ...NOTHING, field: 'sni', exact: ['a.example.com'], prefixes: ['b.'] }],
    ],
    ['{ path: { prefix: [/a, /b] } }', [{ ...NOTHING, field: 'path', prefixes: ['/a', '/b'] }]],
    ['{ cert_cn: "Sensor 1" }', [{ ...NOTHING, field: 'cert_cn', exact: ['Sensor 1'] }]],
    ['{ source: 10.0.0.9 }', [{ ...NOTHING, field: 'source', cidrs: ['10.0.0.9/32'] }]],
    ['{ version: 3.1 }', [{ ...NOTHING, field: 'version', exact: ['3.1'] }]],
    ['{ version: [3.1.1, 5.0, "5"] }', [{ ...NOTHING, field: 'version', exact: ['3.1.1', '5.0', '5.0'] }]],
    [
      '{ version: 5, client_id: a }',
      [
        { ...NOTHING, field: 'client_id', exact: ['a'] },
        { ...NOTHING, field: 'version', exact: ['5.0'] },
      ],
    ],
  ])('%s', (when, conditions) => {
    const bind = 'bind: { address: "*:8084", tls: { cert: a.pem, client_ca: a.pem }, websocket: true }';
    const { frontend } = load(text(`${bind}\n    routes: [{ when: ${when}, refuse: banned }]`), ['a.pem']);
    expect(frontend.routes).toEqual([{ when: conditions, action: { refuse: 'banned' } }]);
  });

  test('a peer that ends TLS itself tells of server name and certificate in its PROXY header', () => {
    const rules = '[{ when: { sni: a.example, cert_cn: device }, refuse: banned }]';
    const bind = 'bind: { address: "*:1", accept_proxy: 10.0.0.1 }';
    const written = text(`${bind}\n    routes: ${rules}`, 'stick: { on: cert_cn }\n    servers: { a: 10.0.0.1 }');
    expect(load(written).frontend.routes[0]?.when.map(({ field }) => field)).toEqual(['sni', 'cert_cn']);
  });

  test('a backend that only a rule names is used, and the last rule may always hold', () => {
    const rules = '[{ when: { client_id: a }, backend: c }, { when: {}, refuse: not_authorized }]';
    const { frontend } = load(
      text(`bind: "*:1883"\n    routes: ${rules}`, 'servers: { a: 10.0.0.1 }\n  c: { servers: { a: 10.0.0.1 } }'),
    );
    expect(frontend.routes.map(route => route.action)).toEqual([{ backend: 'c' }, { refuse: 'not_authorized' }]);
  });
});

describe('mode: tcp', () => {
  const TCP = 'mode: tcp\n    bind: "*:18083"';

  test('is not stuck, is checked over TCP, and its backend has its mode', () => {
    const { frontend, backend } = load(text(TCP, 'servers: { a: 10.0.0.1:18083 }'));
    expect(frontend).toMatchObject({ mode: 'tcp', sniRoutes: [] });
    expect(backend).toMatchObject({
      mode: 'tcp',
      stick: null,
      servers: [{ check: { probe: { type: 'tcp' }, port: null } }],
    });
  });

  test.each<readonly [keys: string, expected: object]>([
    ['stick: true', { stick: { field: 'source' } }],
    ['stick: { expire: 1h }', { stick: { field: 'source', expireMs: 3_600_000 } }],
    ['stick: { on: source }\n    balance: hash', { stick: { field: 'source' }, balance: 'hash' }],
    ["stick: { on: { field: source, match: '^([0-9.]+)' } }", { stick: { field: 'source', match: '^([0-9.]+)' } }],
    ['stick: false\n    balance: leastconn', { stick: null, balance: 'leastconn' }],
    ['check: { fall: 5 }', { servers: [{ check: { fall: 5, probe: { type: 'tcp' } } }] }],
    [
      'check: { type: http, path: /status }',
      { servers: [{ check: { port: null, probe: { type: 'http', path: '/status' } } }] },
    ],
    ['check: { type: mqtt }', { servers: [{ check: { probe: { type: 'mqtt' } } }] }],
    ['check: false', { servers: [{ check: null }] }],
  ])('%s', (keys, expected) => {
    expect(load(text(TCP, `${keys}\n    servers: { a: 10.0.0.1:80 }`)).backend).toMatchObject(expected);
  });

  test('stick on cert_cn, with TLS that asks for certificates', () => {
    const bind = 'mode: tcp\n    bind: { address: "*:1", tls: { cert: a.pem, client_ca: a.pem } }';
    const { backend } = load(text(bind, 'stick: { on: cert_cn }\n    servers: { a: 10.0.0.1:1 }'), ['a.pem']);
    expect(backend.stick).toMatchObject({ field: 'cert_cn' });
  });

  test('sni_routes: host names in lower case', () => {
    const routes = '{ Dash.example.com: b, "*.Example.com": c }';
    const { frontend } = load(
      text(`${TCP}\n    sni_routes: ${routes}`, 'servers: { a: 10.0.0.1:1 }\n  c: { servers: { a: 10.0.0.1:1 } }'),
    );
    expect(frontend.sniRoutes).toEqual([
      { host: 'dash.example.com', backend: 'b' },
      { host: '*.example.com', backend: 'c' },
    ]);
  });
});

describe('servers', () => {
  const SERVER = { verify: 'required', ca: null, sni: null, cert: null, key: null };

  test.each<readonly [server: string, expected: object]>([
    ['10.0.0.1', { port: 1883, tls: null, websocket: null, check: { probe: { type: 'mqtt' } } }],
    ['{ address: 10.0.0.1, tls: true }', { port: 8883, tls: SERVER }],
    ['{ address: "10.0.0.1:1884", tls: false }', { port: 1884, tls: null }],
    [
      '{ address: 10.0.0.1, tls: { verify: none, sni: broker } }',
      { tls: { ...SERVER, verify: 'none', sni: 'broker' } },
    ],
    ['{ address: 10.0.0.1, tls: { ca: a.pem, cert: a.pem } }', { tls: { ...SERVER, ca: '%/a.pem', cert: '%/a.pem' } }],
    [
      '{ address: "10.0.0.1:8083", websocket: true }',
      { websocket: { path: '/mqtt' }, check: { probe: { type: 'tcp' } } },
    ],
    [
      '{ address: "10.0.0.1:8083", websocket: { path: /ws }, check: { port: 1883 } }',
      { websocket: { path: '/ws' }, check: { port: 1883, probe: { type: 'mqtt' } } },
    ],
    ['{ address: "10.0.0.1:8084", websocket: {}, tls: {} }', { port: 8084, websocket: { path: '/mqtt' }, tls: SERVER }],
  ])('%s', (server, expected) => {
    const { backend } = load(text('bind: { address: "*:1", websocket: true }', `servers: { a: ${server} }`), ['a.pem']);
    expect(backend.servers[0]).toMatchObject(expected);
  });
});

test('global.tls', () => {
  const tls = '{ ticket_secret: sixteen letters!, ticket_rotate: 1h, max_handshakes: 8, handshake_queue: 0 }';
  const { global } = configOf(`global: { tls: ${tls} }\nstate: { store: redis }\n${text('bind: "*:1"')}`);
  const expected = { ticketSecret: 'sixteen letters!', ticketRotateMs: 3_600_000, maxHandshakes: 8, handshakeQueue: 0 };
  expect(global.tls).toEqual(expected);
});

const TLS_BIND = 'bind: { address: "*:1", tls: { cert: a.pem } }';
const SECRET = 'global: { tls: { ticket_secret: sixteen letters! } }\n';
const PROXY = 'bind: { address: "*:1", accept_proxy: 10.0.0.1 }';

describe('a warning', () => {
  test.each<readonly [what: string, text: string, message: string | null]>([
    [
      'tickets that no other proxy opens',
      `state: { store: redis }\n${text(TLS_BIND)}`,
      'resume neither on another proxy',
    ],
    ['a secret that would be used', `${SECRET}state: { store: redis }\n${text(TLS_BIND)}`, null],
    ['no TLS, no secret', `state: { store: redis }\n${text('bind: "*:1"')}`, null],
    ['a secret without Redis', `${SECRET}${text(TLS_BIND)}`, '`global.tls.ticket_secret`: it has no effect'],
    [
      'no handshake to wait for',
      text('bind: "*:1"\n    timeout: { handshake: 5s }'),
      'timeout.handshake`: it has no effect',
    ],
    ['a PROXY header to wait for', text(`${PROXY}\n    timeout: { handshake: 5s }`), null],
    [
      'nothing to inspect',
      text('mode: tcp\n    bind: "*:1"\n    timeout: { inspect: 5s }'),
      'timeout.inspect`: it has no effect',
    ],
    [
      'a ClientHello to inspect',
      text('mode: tcp\n    bind: "*:1"\n    sni_routes: { a.example: b }\n    timeout: { inspect: 5s }'),
      null,
    ],
    [
      'protocols that keep browsers out',
      text('bind: { address: "*:1", tls: { cert: a.pem, alpn: mqtt }, websocket: true }'),
      'tls.alpn`: browsers ask for http/1.1',
    ],
    [
      'protocols that let browsers in',
      text('bind: { address: "*:1", tls: { cert: a.pem, alpn: [mqtt, http/1.1] }, websocket: true }'),
      null,
    ],
  ])('%s', (_what, written, message) => {
    const loaded = loadFiles({ 'limpet.yaml': written, 'a.pem': '' });
    const warnings = message === null ? [] : [expect.objectContaining({ message: expect.stringContaining(message) })];
    expect(loaded).toMatchObject({ ok: true, warnings });
    expect(JSON.stringify(loaded.ok && loaded.warnings)).not.toContain('sixteen');
  });
});
