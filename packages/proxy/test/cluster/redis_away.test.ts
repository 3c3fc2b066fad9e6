import { expect, test } from 'vitest';
import { landings, startBrokers, startCluster, strays } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids, Stream } from '../kit/crowd.ts';
import type { Limpet } from '../kit/limpet.ts';
import { startRedis } from '../kit/redis.ts';

/** 125 connects a second. */
const everyMs = 8;
const known = 300;
const newcomerEvery = 5;
const arrivalsAPhase = 350;

/**
 * Known clients come back all the time. Between them come strangers, each of them twice: in one phase, and again at the
 * same place of the next one, so that those who first came during an outage show whether their home outlives it.
 */
function visitor(number: number): string {
  if (number % newcomerEvery > 0) return `known-${(number * 7) % known}`;
  const pair = Math.floor(number / (2 * arrivalsAPhase));
  return `stranger-${pair}-${(number % arrivalsAPhase) / newcomerEvery}`;
}

/** How often the proxy's workers, all together, have said so. */
function told(limpet: Limpet, event: string): number {
  return limpet.events(line => line.event === event).length;
}

test('P4: no client is refused while Redis is killed, comes back empty, freezes and thaws, and all of them stay at home', async () => {
  await using brokers = await startBrokers(3);
  await using redis = await startRedis();
  const workers = 4;
  await using limpet = await startCluster({ workers, redis, backends: { mqtt: { servers: brokers.servers() } } });
  const port = limpet.port('mqtt');
  await using settled = await connectAll(port, ids('settled', 60));

  await using stream = new Stream(port, {
    everyMs,
    next: number => ({ clientId: visitor(number) }),
    arrived: ({ client }) => void client?.leave(),
  });
  const pass = async (phase: string): Promise<void> => {
    const target = stream.count + arrivalsAPhase;
    await until(() => stream.count >= target, { what: `the clients of the phase "${phase}"`, timeoutMs: 30_000 });
  };
  const keys = async (): Promise<number> => Number(await redis.cli(['dbsize']));
  const waitFor = (event: string, count: number): Promise<boolean> =>
    limpet.process.waitUntil(`${count} × ${event}`, () => told(limpet, event) >= count, 30_000);

  await pass('Redis is well');
  const before = await keys();
  await redis.kill9();
  await pass('Redis is killed');
  await waitFor('redis_away', workers);
  await redis.restart();
  await waitFor('redis_back', workers);
  await pass('Redis has come back empty');
  const afterwards = await until(async () => (await keys()) >= settled.clients.length + known && keys(), {
    what: 'a full table',
  });
  // The sessions that lived through it are in the new table, pinned.
  const entries = await redis.client().mget(settled.clients.map(({ clientId }) => `limpet:stick:mqtt:${clientId}`));
  expect(entries.filter(value => value?.endsWith('|o'))).toHaveLength(settled.clients.length);

  const awayBefore = told(limpet, 'redis_away');
  redis.freeze();
  await pass('Redis is frozen');
  await waitFor('redis_away', awayBefore + workers);
  redis.thaw();
  await waitFor('redis_back', told(limpet, 'redis_away'));
  await pass('Redis is thawed');
  const crowd = await stream.stop();

  const returning = new Map([...brokers.homes()].filter(([, homes]) => homes.length > 1));
  const degraded = limpet.events(({ event, degraded }) => event === 'connect' && degraded === true).length;
  console.log(
    `${crowd.arrivals.length} connects of ${brokers.homes().size} ids (${returning.size} came back), ` +
      `${degraded} without Redis, ${crowd.refused.length} refused, ${strays(brokers.homes()).length} strays, slowest ${crowd.longestWaitMs} ms; ` +
      `keys: ${before} before, ${afterwards} after the empty restart, ${await keys()} at the end`,
  );
  expect(crowd.refused).toEqual([]);
  // Both outages lasted for a whole phase.
  expect(degraded).toBeGreaterThan(arrivalsAPhase);
  expect(settled.clients.filter(client => client.isClosed)).toEqual([]);
  await Promise.all(settled.clients.map(client => client.ping()));
  expect(returning.size).toBeGreaterThan(known);
  expect(strays(brokers.homes())).toEqual([]);
  expect(strays(landings(limpet))).toEqual([]);
});
