import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Brokers, ended, landings, type Store, startBrokers, startCluster, strays } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { arrive, connectLight, type LightOptions } from '../kit/light_client.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';

const expireMs = 60_000;
/** What a pinned entry may have left at most: `expire` and two renewals, each a quarter of it. */
const pinnedMs = expireMs * 1.5;
const slackMs = 10_000;
const clients = 500;
const visits = 20;
const together = 48;

let brokers: Brokers;
let redis: RedisServer;
beforeAll(async () => {
  [brokers, redis] = await Promise.all([startBrokers(3), startRedis()]);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

function startWith(store: Store): Promise<Limpet> {
  const backend = (stick: object): object => ({
    servers: brokers.servers(),
    stick: { expire: `${expireMs}ms`, ...stick },
  });
  return startCluster({
    workers: 4,
    redis: store === 'redis' ? redis : null,
    backends: {
      by_id: backend({}),
      by_user: backend({ on: 'username' }),
      by_source: backend({ on: 'source' }),
      by_match: backend({ on: { field: 'client_id', match: '^([a-z]+[0-9]+)/' } }),
      lasting: backend({ clean_sessions: false }),
    },
  });
}

/** The same numbers in every run (a linear congruential generator): from 0 up to, not including, `below`. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Every client's visits, shuffled. */
function schedule(clientIds: readonly string[], roll: (below: number) => number): string[] {
  const all = clientIds.flatMap(id => Array.from({ length: visits }, () => id));
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = roll(last + 1);
    [all[last], all[other]] = [all[other] ?? '', all[last] ?? ''];
  }
  return all;
}

/** One visit: `twice` connects the same id two times at once. Answers what went wrong. */
async function visit(port: number, clientId: string, twice: boolean, drops: boolean): Promise<string[]> {
  const arrivals = await Promise.all(Array.from({ length: twice ? 2 : 1 }, () => arrive(port, { clientId })));
  await Promise.all(arrivals.map(({ client }) => (drops ? client?.drop() : client?.leave())));
  return arrivals.flatMap(({ outcome }) => (outcome === 'accepted' ? [] : `${clientId}: ${outcome}`));
}

/** All visits, some at the same time; each id is visited by one at a time, which may be two connections. */
async function storm(port: number, clientIds: readonly string[]): Promise<{ connects: number; failures: string[] }> {
  const roll = dice(4711);
  const left = schedule(clientIds, roll);
  const failures: string[] = [];
  let connects = 0;
  const walk = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const twice = clientIds.indexOf(id) % 2 === 0;
      connects += twice ? 2 : 1;
      failures.push(...(await visit(port, id, twice, roll(3) === 0)));
    }
  };
  await Promise.all(Array.from({ length: together }, walk));
  return { connects, failures };
}

/** `server` of an entry, as redis-cli shows it. */
async function entry(backend: string, key: string): Promise<{ server: string; state: string; ttlMs: number }> {
  const name = `limpet:stick:${backend}:${key}`;
  const value = await redis.cli(['get', name]);
  const ttlMs = Number(await redis.cli(['pttl', name]));
  return { server: value.split('|')[0] ?? '', state: value.split('|').at(-1) ?? '', ttlMs };
}

describe.each<{ store: Store }>([{ store: 'redis' }, { store: 'memory' }])('$store', ({ store }) => {
  let limpet: Limpet;
  beforeAll(async () => {
    limpet = await startWith(store);
  });
  afterAll(async () => {
    await limpet[Symbol.asyncDispose]();
  });
  const named = (prefix: string): string => `${prefix}-${store}`;

  test(`P2: ${clients} ids that come ${visits} times each, half of them twice at once, stay on one broker each`, async () => {
    const clientIds = ids(named('storm'), clients);
    const { connects, failures } = await storm(limpet.port('by_id'), clientIds);
    expect(failures).toEqual([]);
    expect(connects).toBe(clients * visits * 1.5);
    const total = (logged: ReadonlyMap<string, readonly string[]>): number =>
      clientIds.reduce((sum, id) => sum + (logged.get(id)?.length ?? 0), 0);
    await until(() => total(brokers.homes()) === connects, { what: 'all CONNECTs in the logs of the brokers' });
    await until(() => total(landings(limpet)) === connects, { what: 'all CONNECTs in the log of the proxy' });
    const homes = new Map([...brokers.homes()].filter(([id]) => clientIds.includes(id)));
    const landed = landings(limpet);
    expect(strays(homes)).toEqual([]);
    // The proxy's log says the same as the brokers' own.
    expect(clientIds.filter(id => homes.get(id)?.[0] !== landed.get(id)?.[0])).toEqual([]);
    expect(strays(landed)).toEqual([]);
    const sizes = brokers.names.map(name => clientIds.filter(id => homes.get(id)?.[0] === name).length);
    const workers = new Set(limpet.events(({ event }) => event === 'connect').map(({ worker }) => worker)).size;
    console.log(`${store}: ${connects} connects of ${clients} ids on ${sizes} by ${workers} workers, 0 strays`);
    expect(workers).toBeGreaterThan(1);
    if (store === 'redis') {
      const keys = clientIds.map(id => `limpet:stick:by_id:${id}`);
      const values = await redis.client().mget(keys);
      expect(values.map(value => value?.split('|')[0])).toEqual(clientIds.map(id => homes.get(id)?.[0]));
    }
  });

  test('P2: a user name, an address, and a part of the client id are keys as well', async () => {
    const kinds: Record<string, (key: number, visit: number) => LightOptions> = {
      by_user: (key, visit) => ({ clientId: named(`user-${key}-${visit}`), username: `user-${key}` }),
      by_source: (key, visit) => ({ clientId: named(`source-${key}-${visit}`), localAddress: `127.0.2.${key + 1}` }),
      by_match: (key, visit) => ({ clientId: `plant${key}/${named(`device-${visit}`)}` }),
    };
    for (const [backend, optionsOf] of Object.entries(kinds)) {
      const servers = new Set<string>();
      for (let key = 0; key < 6; key += 1) {
        const options = Array.from({ length: 4 }, (_, number) => optionsOf(key, number));
        for (const option of options) await (await connectLight(limpet.port(backend), option)).leave();
        const clientIds = options.map(({ clientId }) => clientId);
        await brokers.shares(clientIds);
        const homes = brokers.homes();
        const used = new Set(clientIds.flatMap(id => homes.get(id) ?? []));
        expect({ backend, key, used: used.size }).toEqual({ backend, key, used: 1 });
        for (const server of used) servers.add(server);
      }
      // Six keys in turn are on all three.
      expect(servers.size).toBe(3);
    }
  });

  test('P2: with clean_sessions false, only clients whose session outlives its connection are remembered', async () => {
    const visitAll = async (prefix: string, options: Omit<LightOptions, 'clientId'>): Promise<string[]> => {
      const clientIds = ids(named(prefix), 3);
      // Round robin alone would move each of them by one, for the second round begins with the second of them.
      for (const id of [...clientIds, ...clientIds.slice(1), ...clientIds.slice(0, 1)]) {
        await (await connectLight(limpet.port('lasting'), { ...options, clientId: id })).leave();
      }
      await brokers.shares(clientIds.flatMap(id => [id, id]));
      return strays(brokers.homes()).filter(stray => stray.startsWith(named(prefix)));
    };
    expect(await visitAll('keeps', { clean: false })).toEqual([]);
    expect(await visitAll('expires', { version: 5, clean: true, sessionExpiryS: 60 })).toEqual([]);
    expect(await visitAll('clean', { clean: true })).toHaveLength(3);
    expect(await visitAll('ends', { version: 5, clean: false, sessionExpiryS: 0 })).toHaveLength(3);
  });

  const showsInRedis = async (): Promise<void> => {
    const clientIds = ids('shown', 3);
    const crowd = await connectAll(limpet.port('by_id'), clientIds);
    await brokers.shares(clientIds);
    const homes = brokers.homes();
    for (const id of clientIds) {
      const online = await until(
        async () => {
          const seen = await entry('by_id', id);
          return seen.state === 'o' && seen;
        },
        { what: 'a pinned entry' },
      );
      expect(online.server).toBe(homes.get(id)?.[0]);
      expect(online.ttlMs).toBeGreaterThan(expireMs);
      expect(online.ttlMs).toBeLessThanOrEqual(pinnedMs);
    }
    await crowd.leave();
    await ended(limpet, clientIds);
    for (const id of clientIds) {
      const left = await until(
        async () => {
          const seen = await entry('by_id', id);
          return seen.state === 'c' && seen;
        },
        { what: 'a cooling entry' },
      );
      expect(left.server).toBe(homes.get(id)?.[0]);
      expect(left.ttlMs).toBeLessThanOrEqual(expireMs);
      expect(left.ttlMs).toBeGreaterThan(expireMs - slackMs);
    }
  };
  if (store === 'redis') test('P2: redis-cli shows where a client is, and how long that is remembered', showsInRedis);
});
