import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/resolved.ts';
import { configOf } from './scratch.ts';

const FOLDER = fileURLToPath(new URL('../../../../../deploy/config/', import.meta.url));

function load(name: string): Config {
  const loaded = loadConfig(`${FOLDER}${name}`, { REDIS_PASSWORD: 'p%40ss' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.warnings).toEqual([]);
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

  test('redis.yaml takes its password from the environment', () => {
    expect(load('redis.yaml').state).toEqual({
      store: 'redis',
      redis: { url: 'redis://:p%40ss@127.0.0.1:6379/0', prefix: 'limpet', timeoutMs: 100 },
    });
  });

  test('health-http.yaml checks the API of EMQX, and one server over MQTT', () => {
    const [first, , third] = load('health-http.yaml').backends[0]?.servers ?? [];
    const probe = { type: 'http', path: '/api/v5/load_rebalance/availability_check', expect: [200] };
    expect(first?.check).toMatchObject({ port: 18_083, interMs: 5_000, probe });
    expect(third?.check).toMatchObject({ port: null, interMs: 5_000, probe: { type: 'mqtt' } });
  });
});

test('the example in docs/configuration.md is right', () => {
  const page = readFileSync(new URL('../../../../../docs/configuration.md', import.meta.url), 'utf8');
  const example = /```yaml\n([^`]+)```/.exec(page)?.[1] ?? '';
  expect(configOf(example).backends[0]?.servers.map(server => server.name)).toEqual(['emqx1', 'emqx2']);
});
