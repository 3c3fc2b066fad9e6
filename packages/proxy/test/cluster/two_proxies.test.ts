import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Brokers, startBrokers, strays } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { Crowd, connectInTurn, ids } from '../kit/crowd.ts';
import { type Arrival, arrive } from '../kit/light_client.ts';
import type { Limpet, LogEvent } from '../kit/limpet.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { knowsConns, proxiesOf, setServer, startTwoProxies, type TwoProxies } from '../kit/two_proxies.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await redis.cli(['flushall']);
});

const clientCount = 5000;
/** Connects that are under way at a time. */
const abreast = 100;
const check = { inter: '1s' };

/** Runs the jobs, some of them beside each other, and answers in their order. */
async function abreastOf<Job, Result>(jobs: readonly Job[], run: (job: Job) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...jobs.entries()].reverse();
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) results[next[0]] = await run(next[1]);
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  return results;
}

/** Sums of both proxies' counts, by server, as `redis-cli` shows them. */
async function countsInRedis(): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const name of ['lb1', 'lb2']) {
    const counts = await redis.client().hgetall(`limpet:conns:${name}`);
    for (const [place, conns] of Object.entries(counts)) sums[place] = (sums[place] ?? 0) + Number(conns);
  }
  return sums;
}

/** As soon as they are all counted. */
function shares(total: number): Promise<number[]> {
  let seen: Record<string, number> = {};
  return until(
    async () => {
      seen = await countsInRedis();
      const counts = Object.values(seen);
      return counts.reduce((sum, one) => sum + one, 0) === total && counts;
    },
    { what: `${total} connections in Redis`, seen: () => JSON.stringify(seen), timeoutMs: 20_000 },
  );
}

function spread(counts: readonly number[]): number {
  const mean = counts.reduce((sum, one) => sum + one, 0) / counts.length;
  return Math.max(...counts.map(count => Math.abs(count - mean))) / mean;
}

function comeByChance(proxies: TwoProxies, clientIds: readonly string[]): Promise<Arrival[]> {
  const ports = proxies.both.map(limpet => limpet.port('mqtt'));
  return abreastOf(clientIds, clientId => arrive(ports[Math.random() < 0.5 ? 0 : 1] ?? 0, { clientId }));
}

test('P2: 5,000 ids that come back at random over two proxies are always on one broker each, and leastconn is even over both', async () => {
  await using brokers: Brokers = await startBrokers(3);
  await using proxies = await startTwoProxies(redis, {
    workers: 2,
    // A busy machine is no absent Redis: without it each proxy would answer from what it has seen itself.
    redisTimeout: '5s',
    backends: { mqtt: { balance: 'leastconn', servers: brokers.servers(), check } },
  });
  const clientIds = ids('device', clientCount);
  let crowd = new Crowd(await comeByChance(proxies, clientIds));
  expect(crowd.refused).toEqual([]);
  const first = await shares(clientCount);
  for (let round = 0; round < 3; round += 1) {
    const back = await abreastOf(crowd.clients, async client => {
      await client.leave();
      const limpet = proxies.both[Math.random() < 0.5 ? 0 : 1];
      return await arrive(limpet?.port('mqtt') ?? 0, { clientId: client.clientId });
    });
    crowd = new Crowd(back);
    expect(crowd.refused).toEqual([]);
  }
  const last = await shares(clientCount);
  await brokers.shares([1, 2, 3, 4].flatMap(() => clientIds));
  const homes = brokers.homes();
  const served = [...homes.values()].reduce((sum, names) => sum + names.length, 0);
  const told = (matches: (event: LogEvent) => boolean): number =>
    proxies.both.reduce((sum, limpet) => sum + limpet.events(matches).length, 0);
  const degraded = told(({ event, degraded }) => event === 'connect' && degraded === true);
  const verdicts = told(({ event }) => event === 'health');
  const percent = (counts: readonly number[]): string =>
    `${counts.join(', ')} (${(spread(counts) * 100).toFixed(2)} %)`;
  console.log(
    `${served} connects of ${homes.size} ids; ${strays(homes).length} ids on two brokers; ${degraded} without Redis, ${verdicts} changes of a verdict; ` +
      `sessions a broker at first ${percent(first)}, at last ${percent(last)}`,
  );
  await crowd.leave();
  expect([homes.size, served]).toEqual([clientCount, clientCount * 4]);
  expect(degraded).toBe(0);
  expect(strays(homes)).toEqual([]);
  expect(spread(first)).toBeLessThan(0.02);
  expect(spread(last)).toBeLessThan(0.02);
});

test('leastconn makes up for what the other proxy has', async () => {
  await using brokers = await startBrokers(3);
  await using proxies = await startTwoProxies(redis, {
    workers: 1,
    backends: { mqtt: { balance: 'leastconn', servers: brokers.servers(), check } },
  });
  const { one, two } = proxies;
  await setServer(redis, 'b3', 'drain');
  const early = ids('early', 300);
  await using _early = await connectInTurn(one.port('mqtt'), early);
  expect(await brokers.shares(early)).toEqual([150, 150, 0]);
  await knowsConns(two, 300);
  await setServer(redis, 'b3', 'ready');
  const late = ids('late', 300);
  await using _late = await connectInTurn(two.port('mqtt'), late);
  expect(await brokers.shares(late)).toEqual([50, 50, 200]);
});

test('maxconn of a server is that of both proxies together; a proxy that dies counts no more', async () => {
  await using brokers = await startBrokers(2);
  const servers = brokers.servers({ b1: { maxconn: 20 } });
  await using proxies = await startTwoProxies(redis, {
    workers: 1,
    backends: { mqtt: { balance: 'first', stick: false, servers, check } },
  });
  const { one, two } = proxies;
  const come = (limpet: Limpet, name: string): Promise<Crowd> => connectInTurn(limpet.port('mqtt'), ids(name, 20));
  await using _first = await come(two, 'two');
  await knowsConns(one, 20);
  await using _second = await come(one, 'one');
  expect(await brokers.shares(ids('two', 20))).toEqual([20, 0]);
  expect(await brokers.shares(ids('one', 20))).toEqual([0, 20]);

  await two.process.kill('SIGKILL');
  await until(async () => (await redis.cli(['exists', 'limpet:conns:lb2'])) === '0', { what: 'the end of its counts' });
  await until(async () => (await proxiesOf(one))[1]?.state === 'silent', { what: 'a silent lb2' });
  expect((await proxiesOf(one))[1]).toMatchObject({ name: 'lb2', conns: null });
  await using _third = await come(one, 'after');
  expect(await brokers.shares(ids('after', 20))).toEqual([20, 0]);
});
