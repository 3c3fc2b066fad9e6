import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { type Brokers, startBrokers, strays } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { ids } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { visitByOpenssl } from '../kit/openssl_client.ts';
import { startRedis } from '../kit/redis.ts';
import { keyLines, leaks } from '../kit/secrets.ts';
import { connectSecure } from '../kit/secure_client.ts';

const ticketSecret = 'the tide comes back every time';
const redisPassword = 'limpets-hold-on';
const password = 'correct horse battery staple';
/** So short that keys rotate several times in a test; a ticket lives for two of these. */
const rotate = '4s';
/** Devices that reconnect at the same time. */
const atOnce = 10;

let brokers: Brokers;
let authority: Authority;
let server: Issued;
beforeAll(async () => {
  [brokers, authority] = await Promise.all([startBrokers(3), makeAuthority()]);
  server = await authority.issue({ cn: 'localhost', names: ['localhost'] });
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

function startProxy(name: string, redisUrl: string | null): Promise<Limpet> {
  const shared = redisUrl === null ? {} : { ticket_secret: ticketSecret };
  return startLimpet({
    global: {
      name,
      workers: 4,
      hard_stop_after: '2s',
      log: { level: 'debug' },
      tls: { ticket_rotate: rotate, ...shared },
    },
    state: redisUrl === null ? {} : { store: 'redis', redis: { url: redisUrl } },
    frontends: { mqtts: { bind: { address: '127.0.0.1:0', tls: { cert: server.bundle } }, default_backend: 'mqtt' } },
    backends: { mqtt: { servers: brokers.servers() } },
  });
}

/** A device that uses its newest ticket, once, at every visit. */
class Device {
  readonly clientId: string;
  readonly #version: 'TLSv1.2' | 'TLSv1.3';
  #session: Buffer | null = null;
  visits = 0;
  resumed = 0;

  constructor(clientId: string, version: 'TLSv1.2' | 'TLSv1.3') {
    this.clientId = clientId;
    this.#version = version;
  }

  async visit(limpet: Limpet): Promise<void> {
    const versions = { minVersion: this.#version, maxVersion: this.#version };
    const session = this.#session === null ? {} : { session: this.#session };
    const tls = { servername: 'localhost', ...versions, ...session };
    const who = { clientId: this.clientId, username: 'user', password };
    await using client = await connectSecure(limpet.port('mqtts'), { ...who, tls });
    this.visits += 1;
    if (client.resumed) this.resumed += 1;
    this.#session = client.session;
  }
}

function makeDevices(prefix: string, count: number): Device[] {
  return ids(prefix, count).map((id, index) => new Device(id, index % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2'));
}

/** Every device comes so many times, a few of them at once, by each proxy in its turn. */
async function rounds(
  devices: readonly Device[],
  count: number,
  proxies: readonly Limpet[],
  afterEach: () => Promise<void> = async () => {},
): Promise<void> {
  for (let round = 0; round < count; round += 1) {
    for (let first = 0; first < devices.length; first += atOnce) {
      const group = devices.slice(first, first + atOnce);
      await Promise.all(
        group.map((device, index) => {
          const limpet = proxies[(round + index) % proxies.length];
          if (limpet === undefined) throw new Error('no proxy');
          return device.visit(limpet);
        }),
      );
    }
    await afterEach();
  }
}

/** Kills the first worker there is, and waits for its successor. */
async function killWorker(limpet: Limpet): Promise<void> {
  const [pid = 0] = limpet.workers();
  const ready = (): number => limpet.events(({ event }) => event === 'worker_ready').length;
  const before = ready();
  process.kill(pid, 'SIGKILL');
  await until(() => ready() > before, { what: 'a new worker' });
}

function sum(devices: readonly Device[], what: 'visits' | 'resumed'): number {
  return devices.reduce((total, device) => total + device[what], 0);
}

/** Connections that the proxies have logged: all, resumed, and by how many workers. */
function logged(proxies: readonly Limpet[]): { all: number; resumed: number; workers: number } {
  const lines = proxies.flatMap(limpet => limpet.events(({ event }) => event === 'connect'));
  const workers = new Set(lines.map(({ worker }) => worker)).size;
  return { all: lines.length, resumed: lines.filter(({ resumed }) => resumed === true).length, workers };
}

/** Waits until the proxies' logs and the brokers' have all these connections, and says what they have. */
async function agreed(proxies: readonly Limpet[], count: number): Promise<ReturnType<typeof logged>> {
  await until(() => logged(proxies).all >= count, { what: `${count} lines`, seen: () => `${logged(proxies).all}` });
  return logged(proxies);
}

/** How many visits of an `openssl s_client` were resumed, each with the session of the one before, by each proxy in turn. */
async function opensslResumes(visits: number, version: string, proxies: readonly Limpet[]): Promise<number> {
  await using directory = await makeDirectory('sessions');
  const session = directory.file('session');
  let resumed = 0;
  for (let visit = 0; visit < visits; visit += 1) {
    const port = proxies[visit % proxies.length]?.port('mqtts') ?? 0;
    if ((await visitByOpenssl(port, `openssl${version}`, session, [version])).resumed) resumed += 1;
  }
  return resumed;
}

test('P2: with the newest ticket every reconnect resumes: 4 workers, two proxies on one Redis, a restart, a killed worker, rotations; openssl agrees', async () => {
  await using redis = await startRedis({ args: ['--requirepass', redisPassword] });
  const url = redis.url.replace('redis://', `redis://:${redisPassword}@`);
  await using lb1 = await startProxy('lb1', url);
  await using lb2 = await startProxy('lb2', url);
  const rings = new Set<string>();
  const look = async (): Promise<void> => void rings.add(await redis.cli(['GET', 'limpet:tls:tickets'], redisPassword));
  const devices = makeDevices('shared', 40);
  const visit = (count: number, between: readonly Limpet[]): Promise<void> => rounds(devices, count, between, look);
  await visit(11, [lb1, lb2]);
  // lb1 is gone for a while, and comes back.
  await lb1.stop();
  await visit(3, [lb2]);
  await using lb1again = await startProxy('lb1', url);
  await visit(8, [lb1again, lb2]);
  // A killed worker takes the lines with it that it has not written yet.
  await agreed([lb1, lb1again, lb2], sum(devices, 'visits'));
  await killWorker(lb2);
  await visit(9, [lb2, lb1again]);
  // Keys have rotated under way, whatever the speed of this machine.
  const before = sum(devices, 'visits');
  while (rings.size < 4) await visit(2, [lb1again, lb2]);

  const proxies = [lb1, lb1again, lb2];
  const visits = sum(devices, 'visits');
  const lines = await agreed(proxies, visits);
  const reconnects = visits - devices.length;
  console.log(
    `redis: ${sum(devices, 'resumed')} of ${reconnects} reconnects resumed, by ${lines.workers} workers, ` +
      `${rings.size} rings seen, ${visits - before} visits more for them`,
  );
  expect(reconnects).toBeGreaterThanOrEqual(1200);
  expect(devices.filter(({ visits: all, resumed }) => resumed !== all - 1)).toEqual([]);
  expect({ all: lines.all, resumed: lines.resumed }).toEqual({ all: visits, resumed: reconnects });
  expect(lines.workers).toBeGreaterThan(4);
  expect(strays(brokers.homes())).toEqual([]);

  const secrets = [ticketSecret, redisPassword, password, ...keyLines(server.bundle)];
  expect(proxies.flatMap(limpet => leaks(limpet, secrets))).toEqual([]);
  expect(await redis.cli(['GET', 'limpet:tls:tickets'], redisPassword)).toMatch(/^v1\./);

  for (const version of ['-tls1_2', '-tls1_3']) {
    const resumed = await opensslResumes(20, version, [lb1again, lb2]);
    console.log(`openssl ${version}: ${resumed} of 19 reconnects Reused`);
    expect(resumed).toBe(19);
  }
});

test('in memory the workers of a proxy share the keys, and so does the successor of one that was killed', async () => {
  await using limpet = await startProxy('solo', null);
  const devices = makeDevices('solo', 30);
  await rounds(devices, 5, [limpet]);
  await agreed([limpet], sum(devices, 'visits'));
  await killWorker(limpet);
  await rounds(devices, 6, [limpet]);
  const visits = sum(devices, 'visits');
  const lines = await agreed([limpet], visits);
  console.log(`memory: ${sum(devices, 'resumed')} of ${visits - devices.length} resumed, by ${lines.workers} workers`);
  expect(devices.filter(({ visits: all, resumed }) => resumed !== all - 1)).toEqual([]);
  expect({ all: lines.all, resumed: lines.resumed }).toEqual({ all: visits, resumed: visits - devices.length });
  expect(lines.workers).toBeGreaterThan(1);
  expect(leaks(limpet, [password, ...keyLines(server.bundle)])).toEqual([]);

  // A proxy with keys of its own opens none of their tickets: who is not resumed is counted as such.
  await using stranger = await startProxy('stranger', null);
  const before = sum(devices, 'resumed');
  await rounds(devices, 1, [stranger]);
  expect(sum(devices, 'resumed')).toBe(before);
});
