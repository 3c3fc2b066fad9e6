import { scryptSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { readScryptHash } from '../../../src/config/password_hash.ts';
import type { Config, LogConfig, RuntimeApiConfig, StatsConfig } from '../../../src/config/resolved.ts';
import { configOf, loadFiles, loadText } from './scratch.ts';

const REST = `
frontends: { mqtt: { bind: '*:1883', default_backend: b } }
backends: { b: { servers: { a: 10.0.0.1 } } }
`;

const SALT = Buffer.alloc(16, 7);
const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
const HASH = `$scrypt$ln=15,r=8,p=1$${base64(SALT)}$${base64(Buffer.alloc(32, 9))}`;

describe('global.runtime_api', () => {
  const unix: RuntimeApiConfig['listen'] = { kind: 'unix', path: '/run/a.sock', mode: 0o600, user: null, group: null };
  const api = (label: string, more: object = {}): object => ({ label, level: 'admin', timeoutMs: 10_000, ...more });
  const tcp = (host: string, port: number): object => ({ listen: { kind: 'tcp', host, port }, level: 'operator' });

  test.each<readonly [written: string, expected: readonly object[]]>([
    ['/run/a.sock', [api('/run/a.sock', { listen: unix })]],
    ['[/run/a.sock]', [api('/run/a.sock', { listen: unix })]],
    ['a.sock', [api('a.sock', { listen: { ...unix, path: '%/a.sock' } })]],
    ['127.0.0.1:9999', [api('127.0.0.1:9999', tcp('127.0.0.1', 9999))]],
    ['["[::1]:0", "localhost:0"]', [api('[::1]:0', tcp('::1', 0)), api('localhost:0', tcp('localhost', 0))]],
    [
      '{ address: 127.1.2.3:9, level: user, timeout: 1m }',
      [api('127.1.2.3:9', { ...tcp('127.1.2.3', 9), level: 'user', timeoutMs: 60_000 })],
    ],
    [
      '{ address: /run/a.sock, mode: "0660", user: limpet, group: 4, level: operator }',
      [api('/run/a.sock', { listen: { ...unix, mode: 0o660, user: 'limpet', group: 4 }, level: 'operator' })],
    ],
    ['{ address: /run/a.sock, mode: 0666 }', [api('/run/a.sock', { listen: { ...unix, mode: 0o666 } })]],
  ])('%s', (written, expected) => {
    expect(configOf(`global: { runtime_api: ${written} }${REST}`).global.runtimeApi).toEqual(expected);
  });
});

describe('global.stats', () => {
  const stats: StatsConfig = {
    ...{ label: '127.0.0.1:8888', host: '127.0.0.1', port: 8888, uri: '/stats', refreshMs: 10_000 },
    ...{ tls: null, users: [], hosts: [] },
  };

  test.each<readonly [written: string, expected: object]>([
    ['127.0.0.1:8888', {}],
    ['{ bind: 127.0.0.1:8888 }', {}],
    [
      '{ bind: "[::1]:0", uri: /a/b.c, refresh: 1s, hosts: LB1.example.com. }',
      {
        ...{ label: '[::1]:0', host: '::1', port: 0, uri: '/a/b.c', refreshMs: 1000, hosts: ['lb1.example.com'] },
      },
    ],
    [
      `{ bind: 127.0.0.1:8888, users: { z: "${HASH}", a: { password: "${HASH}", level: admin } } }`,
      {
        users: [
          { name: 'z', password: HASH, level: 'user' },
          { name: 'a', password: HASH, level: 'admin' },
        ],
      },
    ],
  ])('%s', (written, expected) => {
    const config = configOf(`global: { stats: ${written} }${REST}`);
    expect(config.global.stats).toEqual({ ...stats, ...expected });
  });

  test('every address with users and TLS is right', () => {
    const users = `users: { bob: "${HASH}" }`;
    const text = `global: { stats: { bind: "*:8888", ${users}, tls: { cert: a.pem } } }${REST}`;
    const loaded = loadFiles({ 'limpet.yaml': text, 'a.pem': 'PEM' });
    expect(loaded).toMatchObject({ ok: true, warnings: [] });
    expect(loaded).toMatchObject({ config: { global: { stats: { host: '0.0.0.0', tls: { certs: ['%/a.pem'] } } } } });
  });

  test('users without TLS are warned of, and their hashes not shown', () => {
    const loaded = loadText(`global: { stats: { bind: 10.0.0.5:8888, users: { bob: "${HASH}" } } }${REST}`);
    const warnings = loaded.ok ? loaded.warnings : [];
    expect(warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '1 `global.stats.bind`: without `tls` the passwords of `users` cross the network as they are',
    ]);
    expect(JSON.stringify(warnings)).not.toContain('scrypt');
  });
});

describe('hashes of passwords', () => {
  test('one that is read makes the same hash again', () => {
    const made = scryptSync('hunter2', SALT, 32, { N: 2 ** 14, r: 8, p: 1, maxmem: 64 << 20 });
    const read = readScryptHash(`$scrypt$ln=14,r=8,p=1$${base64(SALT)}$${base64(made)}`);
    expect(read).toEqual({ cost: 16_384, blockSize: 8, parallelization: 1, salt: SALT, hash: made });
  });

  test.each(['ln=16,r=8,p=1', 'ln=15,r=16,p=2'])('%s is taken', form => {
    expect(readScryptHash(HASH.replace('ln=15,r=8,p=1', form))).not.toBeNull();
  });

  test.each([
    'hunter2',
    '',
    HASH.replace('ln=15', 'ln=13'),
    HASH.replace('ln=15', 'ln=17'),
    HASH.replace('r=8', 'r=0'),
    HASH.replace('p=1', 'p=3'),
    HASH.slice(0, -40),
    `${HASH}=`,
    `${HASH} `,
    `$2b$12$${'a'.repeat(53)}`,
  ])('%s is refused', text => {
    expect(readScryptHash(text)).toBeNull();
  });
});

describe('global.log', () => {
  const syslog = (transport: object, more: object = {}): object => ({
    target: { kind: 'syslog', transport, facility: 'daemon', tag: 'limpet', ...more },
  });

  test.each<readonly [written: string, expected: object]>([
    ['{}', {}],
    ['{ target: stdout }', {}],
    ['{ target: { file: limpet.log } }', { target: { kind: 'file', path: '%/limpet.log' } }],
    ['{ target: { syslog: {} } }', syslog({ kind: 'unix', path: '/dev/log' })],
    ['{ target: { syslog: { address: ./log.sock } } }', syslog({ kind: 'unix', path: '%/log.sock' })],
    ['{ target: { syslog: { address: udp://10.0.0.9 } } }', syslog({ kind: 'udp', host: '10.0.0.9', port: 514 })],
    ['{ target: { syslog: { address: "tcp://[::1]" } } }', syslog({ kind: 'tcp', host: '::1', port: 601 })],
    [
      '{ target: { syslog: { address: "tcp://logs:6514", facility: local3, tag: lb1 } } }',
      syslog({ kind: 'tcp', host: 'logs', port: 6514 }, { facility: 'local3', tag: 'lb1' }),
    ],
    ['{ sample: { above: 1000/s } }', { sample: { above: 1000, keep: 100 } }],
    ['{ sample: { above: 600/m, keep: 7 } }', { sample: { above: 10, keep: 7 } }],
  ])('%s', (written, expected) => {
    const standard: LogConfig = {
      ...{ level: 'info', format: 'json', usernames: false },
      ...{ target: { kind: 'stdout' }, sample: null },
    };
    expect(configOf(`global: { log: ${written} }${REST}`).global.log).toEqual({ ...standard, ...expected });
  });
});

test('the path that was named is kept: what a reload reads again', () => {
  expect(configOf(REST).path).toBe('%');
  const loaded = loadConfig(new URL('../../../../../deploy/config/sticky.yaml', import.meta.url).pathname);
  const config = loaded.ok ? loaded.config : null;
  expect(config?.path).toMatch(/^\/.*\/deploy\/config\/sticky\.yaml$/);
});

const WHOLE = `
global:
  name: lb1
  workers: auto
  maxconn: 100000
  runtime_api: [/run/limpet/limpet.sock]
  stats: { bind: 127.0.0.1:8888, uri: /stats, refresh: 10s }
  log: { level: info, format: json }
state:
  store: redis
  redis: { url: redis://127.0.0.1:6379/0, prefix: limpet }
defaults:
  timeout: { inspect: 10s, connect: 10s, connack: 10s, client: 240s, server: 240s }
  retries: 3
frontends:
  mqtt:
    mode: mqtt
    bind:
      - "*:1883"
      - { address: "*:8883", tls: { cert: certs/server.pem, client_ca: certs/ca.pem, verify: required } }
      - { address: "*:8083", websocket: { path: /mqtt } }
    default_backend: emqx
backends:
  emqx:
    balance: roundrobin
    stick: { on: client_id, size: 100k, expire: 30m }
    check: { type: mqtt, inter: 2s, fall: 3, rise: 2 }
    send_proxy: v2
    servers:
      emqx1: 10.0.0.1:1883
      emqx2: { address: 10.0.0.2:1883, weight: 5 }
`;

test('a configuration with all sections is right', () => {
  const files = { 'limpet.yaml': WHOLE, 'certs/server.pem': 'PEM', 'certs/ca.pem': 'PEM' };
  const loaded = loadFiles(files);
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  const config: Config | null = loaded.ok ? loaded.config : null;
  expect(config?.global.runtimeApi.map(({ label }) => label)).toEqual(['/run/limpet/limpet.sock']);
  expect(config?.global.stats?.refreshMs).toBe(10_000);
});
