import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/resolved.ts';
import { configOf } from './scratch.ts';

const FOLDER = fileURLToPath(new URL('../../../../../deploy/config/', import.meta.url));

/** The certificates that the examples name; they need to be there, and are not looked into here. */
const CERTS = mkdtempSync(join(tmpdir(), 'limpet-certs-'));
for (const name of ['server.pem', 'ca.pem', 'crl.pem']) writeFileSync(join(CERTS, name), '');
afterAll(() => rmSync(CERTS, { recursive: true }));

const ENV = { REDIS_PASSWORD: 'p%40ss', SENTINEL_PASSWORD: 'other', TICKET_SECRET: 'the same on both of them', CERTS };

function load(name: string): Config {
  const loaded = loadConfig(`${FOLDER}${name}`, ENV);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  // The example has addresses that this machine most likely has not.
  const warnings = loaded.warnings.filter(({ message }) => !message.includes('is no address of this host now'));
  expect(warnings).toEqual([]);
  return loaded.config;
}

describe('deploy/config', () => {
  test.each(readdirSync(FOLDER))('%s is right, and without a warning', name => {
    expect(load(name).frontends.length).toBeGreaterThan(0);
  });

  test('sticky.yaml says what the HAProxy configuration says', () => {
    const [backend] = load('sticky.yaml').backends;
    expect(backend?.stick).toEqual({
      field: 'client_id',
      match: null,
      size: 102_400,
      expireMs: 1_800_000,
      cleanSessions: true,
    });
    expect(backend?.serverMs).toBe(240_000);
  });

  test('weighted.yaml has the weights 5, 2 and 3', () => {
    expect(load('weighted.yaml').backends[0]?.servers.map(server => server.weight)).toEqual([5, 2, 3]);
  });

  test('proxy-protocol.yaml sends version 2 and checks every 10 s', () => {
    const [server] = load('proxy-protocol.yaml').backends[0]?.servers ?? [];
    expect(server?.sendProxy).toEqual({ version: 2, tlvs: [] });
    expect(server?.check).toMatchObject({ interMs: 10_000, fall: 2, rise: 5 });
  });

  test('source-addresses.yaml has three addresses, and one for a server alone', () => {
    const sources = load('source-addresses.yaml').backends[0]?.servers.map(({ source }) => source);
    const all = ['10.0.0.11', '10.0.0.12', '10.0.0.13'];
    expect(sources).toEqual([all, all, ['10.0.0.11']]);
  });

  test('dns-pair.yaml and vip-pair.yaml share a Redis, and only one of them has a virtual address', () => {
    const [dns, vip] = [load('dns-pair.yaml'), load('vip-pair.yaml')];
    expect([dns.state.store, vip.state]).toEqual(['redis', dns.state]);
    expect([dns.global.vip, vip.global.vip?.addresses]).toEqual([null, ['10.0.0.100']]);
    expect(dns.backends[0]?.servers.map(({ host }) => host)).toEqual(vip.backends[0]?.servers.map(({ host }) => host));
  });

  test('redis-sentinel.yaml and redis-cluster.yaml name no server of their own', () => {
    const targets = ['redis-sentinel.yaml', 'redis-cluster.yaml'].map(name => load(name).state);
    const login = { username: 'limpet', password: 'p%40ss' };
    expect(targets).toMatchObject([
      { redis: { target: { kind: 'sentinel', master: 'mymaster', login, sentinelLogin: { password: 'other' } } } },
      { redis: { target: { kind: 'cluster', nodes: [{}, {}, {}], login, tls: { verify: 'required' } } } },
    ]);
  });

  test('redis.yaml takes its password from the environment', () => {
    expect(load('redis.yaml').state).toEqual({
      store: 'redis',
      redis: {
        target: {
          kind: 'server',
          url: 'redis://127.0.0.1:6379/0',
          login: { username: null, password: 'p%40ss' },
          database: null,
          tls: null,
        },
        prefix: 'limpet',
        timeoutMs: 100,
      },
    });
  });

  test('health-http.yaml checks the API of EMQX, and one server over MQTT', () => {
    const [first, , third] = load('health-http.yaml').backends[0]?.servers ?? [];
    const probe = { type: 'http', path: '/api/v5/load_rebalance/availability_check', expect: [200] };
    expect(first?.check).toMatchObject({ port: 18_083, interMs: 5_000, probe });
    expect(third?.check).toMatchObject({ port: null, interMs: 5_000, probe: { type: 'mqtt' } });
  });

  test('tls.yaml has plain MQTT and TLS, and a broker with TLS', () => {
    const { frontends, backends, global } = load('tls.yaml');
    expect(global.tls.ticketSecret).toBe(ENV.TICKET_SECRET);
    expect(frontends[0]?.binds.map(bind => bind.tls?.certs)).toEqual([undefined, [join(CERTS, 'server.pem')]]);
    expect(backends[0]?.servers.map(server => server.tls?.ca)).toEqual([undefined, join(CERTS, 'ca.pem')]);
  });

  test('mutual-tls.yaml wants certificates, sticks by their names, and tells them', () => {
    const { frontends, backends } = load('mutual-tls.yaml');
    expect(frontends[0]?.binds[0]?.tls).toMatchObject({ verify: 'required', clientCa: join(CERTS, 'ca.pem') });
    expect(backends[0]?.stick?.field).toBe('cert_cn');
    expect(backends[0]?.servers[0]?.sendProxy).toEqual({ version: 2, tlvs: ['ssl', 'cn'] });
  });

  test('websocket.yaml sends frames only to brokers that speak WebSocket', () => {
    const { frontends, backends } = load('websocket.yaml');
    expect(frontends[0]?.binds.map(bind => bind.websocket?.paths)).toEqual([undefined, ['/mqtt'], ['/mqtt', '/ws']]);
    expect(backends.map(({ servers }) => servers[0]?.websocket)).toEqual([null, { path: '/mqtt' }]);
  });

  test('tcp-dashboard.yaml and sni.yaml know nothing of MQTT', () => {
    expect(load('tcp-dashboard.yaml').backends.map(backend => backend.mode)).toEqual(['mqtt', 'tcp']);
    expect(load('sni.yaml').frontends[0]?.sniRoutes).toEqual([
      { host: 'dash.example.com', backend: 'dashboard' },
      { host: '*.iot.example.com', backend: 'brokers' },
    ]);
  });

  test('limits.yaml lets 500 CONNECTs a second through', () => {
    const { frontends, backends } = load('limits.yaml');
    expect(frontends[0]?.perSource).toEqual({ maxconn: 500, connRate: 50, connectRate: 10 });
    expect(backends[0]?.connectRate).toEqual({ limit: 500, queue: 20_000, queueTimeoutMs: 30_000 });
  });

  test('routes.yaml refuses whom no rule names', () => {
    const last = load('routes.yaml').frontends[0]?.routes.at(-1);
    expect(last).toEqual({ when: [], action: { refuse: 'not_authorized' } });
  });
});

test('the example in docs/configuration.md is right', () => {
  const page = readFileSync(new URL('../../../../../docs/configuration.md', import.meta.url), 'utf8');
  const example = /```yaml\n([^`]+)```/.exec(page)?.[1] ?? '';
  expect(configOf(example).backends[0]?.servers.map(server => server.name)).toEqual(['emqx1', 'emqx2']);
});
