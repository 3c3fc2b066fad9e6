import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Brokers, landingsOf, type Store, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, connectInTurn, ids } from '../kit/crowd.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';

const expireMs = 3000;
const sessionMs = 10_000;
const goneMs = 4000;
const clientCount = 6;

let brokers: Brokers;
let redis: RedisServer;
beforeAll(async () => {
  [brokers, redis] = await Promise.all([startBrokers(3), startRedis()]);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

/** The least time that was left to any of these keys while `sessionMs` passed; -2: one was gone. */
async function leastTtl(clientIds: readonly string[]): Promise<number> {
  const client = redis.client();
  const endMs = performance.now() + sessionMs;
  let least = Number.POSITIVE_INFINITY;
  while (performance.now() < endMs) {
    const left = await Promise.all(clientIds.map(id => client.pttl(`limpet:stick:mqtt:${id}`)));
    least = Math.min(least, ...left);
    await delay(100);
  }
  return least;
}

async function how(limpet: Limpet, clientIds: readonly string[], visit: number): Promise<unknown[]> {
  const lines = (id: string): unknown[] =>
    limpet.events(({ event, client_id }) => event === 'connect' && client_id === id).map(line => line.how);
  await until(() => clientIds.every(id => lines(id).length > visit), { what: `visit ${visit} in the log` });
  return clientIds.map(id => lines(id)[visit]);
}

describe.concurrent.each<{ store: Store }>([{ store: 'redis' }, { store: 'memory' }])('$store', ({ store }) => {
  test('P3: with expire 3s a session of 10 s stays pinned and comes home; 4 s after leaving its entry is gone', async () => {
    await using limpet = await startCluster({
      workers: 2,
      redis: store === 'redis' ? redis : null,
      backends: { mqtt: { servers: brokers.servers(), stick: { expire: `${expireMs}ms` } } },
    });
    const port = limpet.port('mqtt');
    const clientIds = ids(`live-${store}`, clientCount);
    const first = await connectInTurn(port, clientIds);
    expect(first.refused).toEqual([]);
    // What must not happen needs its time: the entries must not expire while the sessions live.
    if (store === 'memory') await delay(sessionMs);
    else {
      const least = await leastTtl(clientIds);
      console.log(`redis: the least PTTL in ${sessionMs} ms of session was ${least} ms`);
      // So even a proxy that dies now leaves each client its whole time.
      expect(least).toBeGreaterThanOrEqual(expireMs);
    }
    await first.leave();
    // Each begins where round robin would not bring it home: the turn is at the first server.
    const rotated = [...clientIds.slice(1), ...clientIds.slice(0, 1)];
    const second = await connectInTurn(port, rotated);
    expect(await how(limpet, clientIds, 1)).toEqual(clientIds.map(() => 'sticky'));
    const homes = await landingsOf(limpet, clientIds);
    expect(clientIds.map(id => homes.get(id)?.[1])).toEqual(clientIds.map(id => homes.get(id)?.[0]));
    await second.leave();
    await delay(goneMs);
    if (store === 'redis') expect(await redis.cli(['keys', 'limpet:stick:mqtt:live-*'])).toBe('');
    await using _third = await connectAll(port, clientIds);
    expect(await how(limpet, clientIds, 2)).toEqual(clientIds.map(() => 'new'));
  });
});
