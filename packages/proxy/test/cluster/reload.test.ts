import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids, Stream } from '../kit/crowd.ts';
import { type Directory, makeDirectory } from '../kit/directory.ts';
import { arrive, connectLight } from '../kit/light_client.ts';
import { type Limpet, type LogEvent, startLimpet } from '../kit/limpet.ts';
import { freePort } from '../kit/port.ts';
import { startRedis } from '../kit/redis.ts';
import { connectSecure, type SecureClient } from '../kit/secure_client.ts';

const openCount = 500;
const secureCount = 20;
const reloads = 50;
/** A hundred connects a second. */
const everyMs = 10;
/** So many of them for each reload at least. */
const perReload = 20;

let brokers: Brokers;
let authority: Authority;
let directory: Directory;
let named: Readonly<Record<'one' | 'two', Issued>>;
let extraPort: number;
beforeAll(async () => {
  [brokers, authority, directory] = await Promise.all([startBrokers(4), makeAuthority(), makeDirectory('reload')]);
  const one = await authority.issue({ cn: 'one' });
  named = { one, two: await authority.issue({ cn: 'two' }) };
  extraPort = await freePort();
});
afterAll(async () => {
  await Promise.all([brokers, authority, directory].map(part => part[Symbol.asyncDispose]()));
});

interface Scene {
  /** The PEM file of the TLS bind. */
  readonly cert: string;
  readonly servers: object;
  readonly global?: object;
  readonly frontend?: object;
  readonly backend?: object;
  /** More binds. */
  readonly binds?: readonly object[];
}

function configOf({ cert, servers, global, frontend, backend, binds = [] }: Scene): object {
  const first = [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls: { cert } }];
  return {
    global: { name: 'lb', workers: 2, hard_stop_after: '2s', log: { level: 'debug' }, ...global },
    frontends: { mqtt: { bind: [...first, ...binds], default_backend: 'emqx', ...frontend } },
    backends: { emqx: { stick: { on: 'client_id' }, servers, ...backend } },
  };
}

/** The configuration of a step: servers, weights, a bind, certificate, limits, balance and workers change in turn. */
function stepConfig(step: number, path: string): object {
  const all = Object.entries(brokers.servers());
  const gone = step % all.length;
  const servers = all
    .filter((_, index) => step % 3 === 0 || index !== gone)
    .map(([name, server], index) => [name, { ...server, weight: 1 + ((step + index) % 5), maxconn: 5000 + step }]);
  return configOf({
    cert: path,
    servers: Object.fromEntries(servers),
    binds: step % 2 === 0 ? [] : [{ address: `127.0.0.1:${extraPort}` }],
    global: { workers: step % 10 === 9 ? 3 : 2, maxconn: 20_000 + step },
    frontend: { ...(step % 4 === 3 ? {} : { conn_rate: '10000/s' }), ...(step % 5 === 0 ? {} : { maxconn: 5000 }) },
    backend: {
      balance: ['roundrobin', 'leastconn', 'random'][step % 3],
      check: step % 7 === 0 ? false : { inter: '1s' },
      stick: { on: 'client_id', size: '10k', expire: step % 2 === 0 ? '30m' : '20m' },
    },
  });
}

/** The lines of the log that say how reloads went, oldest first: one of a good one, one a problem of a bad one. */
function outcomes(limpet: Limpet, word: 'reload' | 'reload_failed'): LogEvent[] {
  return limpet.events(({ event }) => event === word);
}

async function tell(limpet: Limpet, config: string | object, word: 'reload' | 'reload_failed'): Promise<LogEvent> {
  const before = outcomes(limpet, word).length;
  limpet.writeConfig(config);
  limpet.process.signal('SIGHUP');
  const seen = (): LogEvent | undefined => outcomes(limpet, word)[before];
  return await limpet.process.waitUntil(`the line ${word}`, seen, 20_000);
}

/** Clients that come and go; each stays until it has been answered. */
function visitors(port: number): Stream {
  return new Stream(port, {
    everyMs,
    next: number => ({ clientId: `visitor-${number % 1000}` }),
    arrived: ({ client }) => void client?.leave(),
  });
}

function badFiles(path: string): readonly (string | object)[] {
  const servers = brokers.servers();
  const good = configOf({ cert: path, servers });
  const withScene = (scene: Partial<Scene>): object => configOf({ cert: path, servers, ...scene });
  const broken = directory.write('broken.pem', readFileSync(named.one.bundle, 'utf8').slice(0, 300));
  const mixed = readFileSync(named.one.cert, 'utf8') + readFileSync(named.two.key, 'utf8');
  return [
    '',
    'frontends: [',
    'frontends: {}\nbackends: {}\n',
    '\t\tglobal: x',
    { ...good, frontend: {} },
    { ...good, backends: {} },
    withScene({ global: { workers: 0 } }),
    withScene({ global: { maxconn: 'many' } }),
    withScene({ global: { hard_stop_after: '10 parsecs' } }),
    withScene({ frontend: { default_backend: 'nobody' } }),
    withScene({ frontend: { maxcon: 5 } }),
    withScene({ frontend: { allow: ['10.0.0.0/99'] } }),
    withScene({ backend: { balance: 'fair' } }),
    withScene({ backend: { stick: { on: 'shoe_size' } } }),
    withScene({ servers: {} }),
    withScene({ servers: { b1: '10.0.0.1:99999' } }),
    withScene({ binds: [{ address: brokers.address('b1') }] }),
    withScene({ cert: `${path}.not-there` }),
    withScene({ cert: broken }),
    withScene({ cert: directory.write('mixed.pem', mixed) }),
  ];
}

async function secureCrowd(port: number): Promise<SecureClient[]> {
  return await Promise.all(ids('secure', secureCount).map(clientId => connectSecure(port, { clientId })));
}

test('P9: 50 reloads under 500 sessions and 100 connects a second lose nobody and refuse nobody; 20 bad files change nothing', async () => {
  const paths = {
    one: directory.write('one.pem', readFileSync(named.one.bundle, 'utf8')),
    two: directory.write('two.pem', readFileSync(named.two.bundle, 'utf8')),
  };
  await using limpet = await startLimpet(configOf({ cert: paths.one, servers: brokers.servers() }));
  const [port, securePort] = [limpet.port('mqtt', 0), limpet.port('mqtt', 1)];
  await using open = await connectAll(port, ids('open', openCount));
  expect(open.refused).toEqual([]);
  const secure = await secureCrowd(securePort);
  await using stream = visitors(port);

  const tookMs: number[] = [];
  for (let step = 1; step <= reloads; step += 1) {
    const cn = step % 2 === 0 ? 'one' : 'two';
    const outcome = await tell(limpet, stepConfig(step, paths[cn]), 'reload');
    expect(outcome.needs_restart).toBe(0);
    expect(outcome.changes).toBeGreaterThan(0);
    tookMs.push(Number(outcome.ms));
    await using fresh = await connectSecure(securePort, { clientId: `fresh-${step}` });
    expect(fresh.serverCn).toBe(cn);
    if (step % 2 === 1) await (await connectLight(extraPort, { clientId: `extra-${step}` })).leave();
    await until(() => stream.count >= step * perReload, { what: `${perReload} connects for each reload` });
  }

  const last = stepConfig(reloads, paths.one);
  const bad = badFiles(paths.one);
  expect(bad).toHaveLength(20);
  for (const [index, file] of bad.entries()) {
    await tell(limpet, file, 'reload_failed');
    // What is in use is what the last good file said.
    const { changes } = await tell(limpet, last, 'reload');
    expect({ index, changes }).toEqual({ index, changes: 0 });
  }

  const came = await stream.stop();
  expect(came.refused).toEqual([]);
  expect(came.arrivals.length).toBeGreaterThanOrEqual(reloads * perReload);
  await Promise.all([...open.clients, ...secure].map(client => client.ping()));
  expect(open.clients.filter(({ isClosed }) => isClosed)).toHaveLength(0);
  expect(limpet.events(({ event }) => event === 'worker_died' || event === 'worker_failed')).toEqual([]);
  expect(limpet.events(({ event }) => event === 'refused')).toEqual([]);
  const slowest = Math.max(...tookMs);
  const pace = `${came.arrivals.length} connects beside them, the slowest ${came.longestWaitMs} ms`;
  console.log(`${reloads} reloads, the slowest ${slowest} ms; ${openCount + secureCount} sessions stayed; ${pace}`);
  await Promise.all(secure.map(client => client.leave()));
});

test('P2, P9: TLS sessions are resumed and clients come home across a reload that changes the certificate and the workers', async () => {
  const paths = {
    one: directory.write('r-one.pem', readFileSync(named.one.bundle, 'utf8')),
    two: directory.write('r-two.pem', readFileSync(named.two.bundle, 'utf8')),
  };
  const servers = brokers.servers();
  await using limpet = await startLimpet(configOf({ cert: paths.one, servers }));
  const port = limpet.port('mqtt', 1);
  const home = (clientId: string): unknown =>
    limpet.events(({ event, client_id: id }) => event === 'connect' && id === clientId).at(-1)?.server;
  const clientIds = ids('device', 12);
  const sessions = new Map<string, Buffer>();
  const homes = new Map<string, unknown>();
  for (const clientId of clientIds) {
    const client = await connectSecure(port, { clientId });
    await limpet.process.waitUntil(`a session for ${clientId}`, () => client.session !== null && home(clientId));
    if (client.session !== null) sessions.set(clientId, client.session);
    homes.set(clientId, home(clientId));
    await client.leave();
  }
  const global = { workers: 4, maxconn: 3000 };
  const backend = { stick: { on: 'client_id', size: '5k', expire: '40m' }, balance: 'leastconn' };
  await tell(limpet, configOf({ cert: paths.two, servers, global, backend }), 'reload');
  await limpet.waitForEvent(({ event, id }) => event === 'worker_ready' && id === 4, 'the fourth worker');
  for (const clientId of clientIds) {
    const before = limpet.events(({ event }) => event === 'connect').length;
    await using client = await connectSecure(port, { clientId, tls: { session: sessions.get(clientId) } });
    expect({ clientId, resumed: client.resumed }).toEqual({ clientId, resumed: true });
    await limpet.process.waitUntil('its line', () => limpet.events(({ event }) => event === 'connect').length > before);
    expect(home(clientId)).toBe(homes.get(clientId));
  }
});

test('P2, P3, P9: a frontend and a backend that go leave their sessions and entries alone, and are what they were when they come back', async () => {
  await using redis = await startRedis();
  const servers = brokers.servers();
  const stick = { on: 'client_id', expire: '2s' };
  const config = (names: readonly string[]): object => ({
    global: { name: 'lb', workers: 2, hard_stop_after: '2s', log: { level: 'debug' } },
    state: { store: 'redis', redis: { url: redis.url } },
    frontends: Object.fromEntries(
      names.map(name => [name, { bind: `127.0.0.1:${ports.get(name)}`, default_backend: `${name}-brokers` }]),
    ),
    backends: Object.fromEntries(names.map(name => [`${name}-brokers`, { stick, servers }])),
  });
  const ports = new Map([
    ['stays', await freePort()],
    ['goes', await freePort()],
  ]);
  const port = ports.get('goes') ?? 0;
  await using limpet = await startLimpet(config(['stays', 'goes']));
  const clientIds = ids('guest', 20);
  await using guests = await connectAll(port, clientIds);
  expect(guests.refused).toEqual([]);
  await tell(limpet, config(['stays']), 'reload');
  await expect(connectLight(port, { clientId: 'too-late' })).rejects.toThrow('ECONNREFUSED');
  await Promise.all(guests.clients.map(client => client.ping()));
  // Renewed under a live session, again and again: what is left rises, twice as often as `expire` would allow.
  const key = 'limpet:stick:goes-brokers:guest-7';
  let last = 0;
  let rises = 0;
  await until(
    async () => {
      const left = Number(await redis.cli(['PTTL', key]));
      if (left > last) rises += 1;
      last = left;
      return rises > 8;
    },
    { what: 'eight renewals of the entry', seen: () => `${rises} of them, ${last} ms left` },
  );
  const home = async (): Promise<string> => (await redis.cli(['GET', key])).split('|')[0] ?? '';
  const before = await home();
  await tell(limpet, config(['stays', 'goes']), 'reload');
  expect(await home()).toBe(before);
  await guests.leave();
  const strayed: string[] = [];
  for (const clientId of clientIds) {
    await using client = await connectLight(port, { clientId });
    await client.ping();
    const visits = brokers.homes().get(clientId) ?? [];
    if (new Set(visits).size !== 1) strayed.push(clientId);
  }
  expect(strayed).toEqual([]);
  expect(limpet.events(({ event }) => event === 'worker_died')).toEqual([]);
});

test('P9: of a backend that comes it is known what operators have said before its first client', async () => {
  await using redis = await startRedis();
  const ports = { stays: await freePort(), comes: await freePort() };
  const config = (names: readonly (keyof typeof ports)[]): object => ({
    global: { name: 'lb', workers: 2, hard_stop_after: '2s', log: { level: 'debug' } },
    state: { store: 'redis', redis: { url: redis.url } },
    frontends: Object.fromEntries(
      names.map(name => [name, { bind: `127.0.0.1:${ports[name]}`, default_backend: name }]),
    ),
    backends: Object.fromEntries(names.map(name => [name, { servers: brokers.servers() }])),
  });
  await using limpet = await startLimpet(config(['stays']));
  await redis.cli(['HSET', 'limpet:admin:comes', 'b1', 'drain']);
  const reloaded = tell(limpet, config(['stays', 'comes']), 'reload');
  let accepted = 0;
  const enter = async (): Promise<boolean> => {
    const { client } = await arrive(ports.comes, { clientId: `newcomer-${accepted}` });
    if (client !== null) accepted += 1;
    await client?.leave();
    return accepted === 20;
  };
  await until(enter, { what: 'twenty clients, from the first moment on', timeoutMs: 30_000 });
  await reloaded;
  expect(brokers.connections('b1').filter(({ clientId }) => clientId.startsWith('newcomer'))).toEqual([]);
});

test('P9: workers that are too many accept nobody, keep their sessions to the last one, and still hear of servers', async () => {
  await using victims = await startBrokers(2);
  const config = (workers: number): object => ({
    global: { name: 'lb', workers, hard_stop_after: '2s', log: { level: 'debug' } },
    frontends: { mqtt: { bind: '127.0.0.1:0', default_backend: 'emqx' } },
    backends: { emqx: { check: { inter: '200ms', fall: 1 }, servers: victims.servers() } },
  });
  await using limpet = await startLimpet(config(4));
  const port = limpet.port('mqtt');
  await using open = await connectAll(port, ids('early', 200));
  const gone = (): LogEvent[] => limpet.events(({ event }) => event === 'worker_gone');
  const workersOf = (prefix: string): Set<unknown> => {
    const lines = limpet.events(({ event, client_id: id }) => event === 'connect' && String(id).startsWith(prefix));
    return new Set(lines.map(({ worker }) => worker));
  };
  const seenBy = workersOf('early').size;
  await tell(limpet, config(1), 'reload');
  await using late = await connectAll(port, ids('late', 50));
  await Promise.all([...open.clients, ...late.clients].map(client => client.ping()));
  expect([late.refused, open.clients.filter(({ isClosed }) => isClosed)]).toEqual([[], []]);
  await limpet.process.waitUntil('the lines of the late ones', () => workersOf('late').size > 0);
  expect([...workersOf('late')]).toEqual(['lb/1']);
  // Those without a session have ended; the others only when their last client leaves.
  await until(() => limpet.workers().length <= Math.max(1, seenBy), { what: 'the end of the idle ones' });
  const onFirst = victims.homes();
  await victims.get('b1').kill9();
  const lost = open.clients.filter(({ clientId }) => onFirst.get(clientId)?.at(-1) === 'b1');
  await until(() => lost.every(({ isClosed }) => isClosed), { what: 'the end of the sessions of b1, in all workers' });
  await Promise.all(open.clients.filter(client => !lost.includes(client)).map(client => client.ping()));
  await open.leave();
  await until(() => limpet.workers().length === 1, { what: 'the end of all surplus workers' });
  await Promise.all(late.clients.filter(({ isClosed }) => !isClosed).map(client => client.ping()));
  await limpet.process.waitUntil('the lines of their ends', () => gone().length === 3);
  expect(limpet.events(({ event }) => event === 'worker_died')).toEqual([]);
});
