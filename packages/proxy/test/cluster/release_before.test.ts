/** What the release before this one (0.1.0 without `limpet:proxies`) has left in Redis, to the letter, and reads there. */
import { expect, test } from 'vitest';
import { startBrokers, startCluster, strays } from '../kit/cluster.ts';
import { connectInTurn, ids } from '../kit/crowd.ts';
import { startRedis } from '../kit/redis.ts';
import { proxiesOf } from '../kit/two_proxies.ts';

const hourMs = 3_600_000;

test('P2: an entry of the release before brings its client home, its words of operators hold, and what is written it can read', async () => {
  await using redis = await startRedis();
  await using brokers = await startBrokers(3);
  const [online, left, moving] = [ids('online', 20), ids('left', 20), ids('moving', 20)];
  const stickKey = (id: string): string => `limpet:stick:mqtt:${id}`;
  const fill = redis.client().pipeline();
  for (const id of online) fill.set(stickKey(id), 'b2|old1/2|1795202073944|o', 'PX', hourMs);
  for (const id of left) fill.set(stickKey(id), 'b3|old1/1|1795202073945|c', 'PX', hourMs);
  for (const id of moving) fill.set(stickKey(id), 'b1|old1/1|1795202073946|o', 'PX', hourMs);
  fill.hset('limpet:admin:mqtt', 'b1', 'drain', 'b3', 'ready weight=5');
  await fill.exec();

  await using limpet = await startCluster({
    workers: 2,
    redis,
    redisTimeout: '5s',
    backends: { mqtt: { balance: 'leastconn', servers: brokers.servers(), check: { inter: '1s' } } },
    global: { name: 'new1', stats: { bind: '127.0.0.1:0' } },
  });
  await using crowd = await connectInTurn(limpet.port('mqtt'), [...online, ...left, ...moving]);
  expect(crowd.refused).toEqual([]);
  expect(await brokers.shares(online)).toEqual([0, 20, 0]);
  expect(await brokers.shares(left)).toEqual([0, 0, 20]);
  const [drained] = await brokers.shares(moving);
  expect(drained).toBe(0);
  expect(strays(brokers.homes())).toEqual([]);
  for (const id of [...online, ...left, ...moving]) {
    expect(await redis.client().get(stickKey(id))).toMatch(/^b[23]\|new1\/[12]\|\d{13,16}\|o$/);
  }
  // The other one tells nothing of itself: it is not there, and nothing is made up.
  expect(await proxiesOf(limpet)).toMatchObject([{ name: 'new1', self: true, state: 'alive' }]);
  expect(limpet.events(({ level, event }) => level !== 'info' && event !== 'few_descriptors')).toEqual([]);
});
