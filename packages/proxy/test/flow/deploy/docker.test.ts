import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../../src/config/load.ts';
import { DEPLOY } from '../../kit/monitoring.ts';

const FOLDER = `${DEPLOY}docker/`;
const ROOT = join(DEPLOY, '..');
const LIMPETS = ['limpet1', 'limpet2'] as const;
const BROKERS = ['emqx1', 'emqx2', 'emqx3'] as const;

const published = z.string().regex(/^(?:127\.0\.0\.1:)?\d+:\d+$/);
const environment = z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string());
const networks = z.union([
  z.array(z.string()),
  z.record(z.string(), z.strictObject({ aliases: z.array(z.string()).optional() })),
]);
const healthcheck = z.strictObject({
  test: z.array(z.string()).min(2),
  interval: z.string().regex(/^\d+s$/),
  timeout: z.string().regex(/^\d+s$/),
  retries: z.number().int(),
});

/** The rules of the Compose specification for what is used here; a key that is not known is a mistake there too. */
const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  container_name: z.string().optional(),
  hostname: z.string().optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string().startsWith('/')).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  volumes: z.array(z.string().regex(/^\.\/[\w.-]+:\/[\w./-]+:ro$/)).optional(),
  ulimits: z.strictObject({ nofile: z.number().int() }).optional(),
  sysctls: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).optional(),
  environment: environment.optional(),
  networks,
  ports: z.array(published).optional(),
  healthcheck: healthcheck.optional(),
});
const composeFile = z.strictObject({
  name: z.string(),
  'x-emqx': z.unknown(),
  'x-emqx-environment': z.unknown(),
  'x-limpet': z.unknown(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.null()),
});
type Service = z.infer<typeof service>;

const compose = composeFile.parse(parse(readFileSync(`${FOLDER}compose.yaml`, 'utf8'), { merge: true }));

function named(name: string): Service {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
}

describe('compose.yaml', () => {
  test('has three brokers, Redis and two proxies', () => {
    expect(Object.keys(compose.services)).toEqual([...BROKERS, 'redis', ...LIMPETS]);
  });

  test('every network is there, and no port of this machine is wanted twice', () => {
    for (const { networks: used } of Object.values(compose.services)) {
      for (const name of Array.isArray(used) ? used : Object.keys(used)) expect(compose.networks).toHaveProperty(name);
    }
    const ports = Object.values(compose.services).flatMap(({ ports = [] }) =>
      ports.map(port => port.split(':').at(-2)),
    );
    expect(new Set(ports).size).toBe(ports.length);
  });

  test('who waits for another one waits for a service that has a health check', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const name of Object.keys(depends_on)) expect(named(name).healthcheck, name).toBeDefined();
    }
    for (const name of LIMPETS) expect(Object.keys(named(name).depends_on ?? {})).toEqual(['redis', ...BROKERS]);
  });

  test('the brokers know each other by the names that they have', () => {
    const nodes = BROKERS.map(name => named(name).environment?.EMQX_NODE__NAME);
    for (const name of BROKERS) {
      const { environment: settings = {}, hostname, networks: used } = named(name);
      expect(settings.EMQX_CLUSTER__STATIC__SEEDS).toBe(`[${nodes.join(',')}]`);
      expect(settings.EMQX_NODE__NAME).toBe(`emqx@${hostname}`);
      expect(used).toEqual({ cluster: { aliases: [hostname] } });
    }
  });

  test('every file that is mounted is there, and so is what the image is built from', () => {
    for (const name of LIMPETS) {
      const { volumes = [], build } = named(name);
      for (const volume of volumes) {
        const [file = ''] = volume.split(':');
        expect(statSync(join(FOLDER, file)).isFile(), file).toBe(true);
      }
      expect(existsSync(join(FOLDER, build?.context ?? '', build?.dockerfile ?? 'nothing'))).toBe(true);
      expect(join(FOLDER, build?.context ?? '', '.')).toBe(join(ROOT, '.'));
    }
  });

  test('Docker waits longer than sessions may take to end', () => {
    const { config } = limpetYaml();
    for (const name of LIMPETS) {
      const graceMs = 1000 * Number.parseInt(named(name).stop_grace_period ?? '', 10);
      expect(graceMs).toBeGreaterThan(config.global.hardStopAfterMs);
    }
  });
});

function limpetYaml() {
  const loaded = loadConfig(`${FOLDER}limpet.yaml`, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

describe('limpet.yaml', () => {
  const { config, warnings } = limpetYaml();

  test('is right; what is warned of is the page without TLS, which the README tells', () => {
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('`global.stats.bind`')]);
    expect(readFileSync(`${FOLDER}README.md`, 'utf8')).toContain('no TLS');
  });

  test('leads to every broker, with the header that its listener wants', () => {
    const servers = config.backends.flatMap(backend => backend.servers);
    expect(servers.map(({ name, host }) => [name, host])).toEqual(BROKERS.map(name => [name, named(name).hostname]));
    for (const { sendProxy, port } of servers) expect([sendProxy?.version, port]).toEqual([2, 1883]);
    for (const name of BROKERS) {
      expect(named(name).environment?.EMQX_LISTENERS__TCP__DEFAULT__PROXY_PROTOCOL).toBe('true');
    }
  });

  test('listens where compose.yaml and the image say', () => {
    const binds = config.frontends.flatMap(frontend => frontend.binds.map(({ port }) => port));
    const ports = [...binds, config.global.stats?.port];
    for (const name of LIMPETS) {
      expect(named(name).ports?.map(port => Number(port.split(':').at(-1)))).toEqual(ports);
    }
    expect(dockerfile).toContain(`EXPOSE ${ports.join(' ')}`);
  });

  test('has the socket that `limpet status` of the health check asks, in a folder of the user', () => {
    const [api] = config.global.runtimeApi;
    expect(api?.listen).toMatchObject({ kind: 'unix', path: '/run/limpet/limpet.sock' });
    for (const name of LIMPETS) expect(named(name).tmpfs?.[0]).toMatch(/^\/run\/limpet:uid=1000,/);
  });

  test('its user may look and not act, and the page is published to this machine only', () => {
    expect(config.global.stats?.users.map(({ name, level }) => [name, level])).toEqual([['demo', 'user']]);
    for (const name of LIMPETS) expect(named(name).ports?.at(-1)).toMatch(/^127\.0\.0\.1:/);
  });

  test('knows its Redis by the name of the service', () => {
    const { state } = parse(readFileSync(`${FOLDER}limpet.yaml`, 'utf8')) as { state: { redis: { url: string } } };
    expect([config.state.store, new URL(state.redis.url).hostname]).toEqual(['redis', 'redis']);
    expect(named('redis').command).toContain('noeviction');
  });
});

const dockerfile = readFileSync(`${FOLDER}Dockerfile`, 'utf8');

describe('Dockerfile', () => {
  const lines = dockerfile.replaceAll(/\\\n\s*/g, '').split('\n');
  const of = (word: string): string[] => lines.flatMap(line => (line.startsWith(`${word} `) ? [line] : []));

  test('what it copies from the repository is there, and is not ignored', () => {
    const copied = of('COPY')
      .filter(line => !line.includes('--from='))
      .flatMap(line => line.split(' ').slice(1, -1));
    const allowed = readFileSync(`${FOLDER}Dockerfile.dockerignore`, 'utf8')
      .split('\n')
      .flatMap(line => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(copied.length).toBeGreaterThan(5);
    for (const name of copied) {
      expect(existsSync(join(ROOT, name)), name).toBe(true);
      expect(allowed).toContain(name.replace(/\/$/, ''));
    }
    expect(allowed.toSorted()).toEqual(copied.map(name => name.replace(/\/$/, '')).toSorted());
  });

  test('what the build needs is copied: its own files, and every package', () => {
    const copied = of('COPY').join(' ');
    for (const name of readdirSync(ROOT).filter(file => /^(?:tsconfig(?:\.base)?|turbo|package)\.json$/.test(file))) {
      expect(copied).toContain(name);
    }
    expect(copied).toContain('packages/ packages/');
  });

  test('it names no registry, runs as a user without rights, and the last stage installs nothing', () => {
    for (const line of of('FROM')) expect(line).toMatch(/^FROM node:22-slim(?: AS build)?$/);
    const last = lines.slice(lines.lastIndexOf('FROM node:22-slim'));
    expect(last.filter(line => line.startsWith('USER '))).toEqual(['USER node']);
    expect(last.filter(line => /apt-get|npm /.test(line))).toEqual([]);
    expect(of('HEALTHCHECK')[0]).toContain('CMD ["limpet", "status"]');
  });
});
