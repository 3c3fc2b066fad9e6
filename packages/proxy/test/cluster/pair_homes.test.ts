/** A device comes home through the proxy that takes over, whatever the one that died has last said of its connections. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBrokers, strays } from '../kit/cluster.ts';
import { connectInTurn, ids } from '../kit/crowd.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type Mover, makeMover, roleSaid, startPaired } from '../kit/pair.ts';
import { startRedis } from '../kit/redis.ts';
import { knowsConns } from '../kit/two_proxies.ts';

let movers: [Mover, Mover];
beforeEach(async () => {
  movers = [await makeMover(), await makeMover()];
});
afterEach(async () => {
  await Promise.all(movers.map(mover => mover[Symbol.asyncDispose]()));
});

test('P2: the servers are not full of the sessions of the active proxy that has died', async () => {
  await using redis = await startRedis();
  await using brokers = await startBrokers(2);
  const limits = { b1: { maxconn: 30 }, b2: { maxconn: 30 } };
  const start = (mover: Mover, name: string): Promise<Limpet> =>
    startPaired(mover, {
      global: { name, workers: 1 },
      state: { store: 'redis', redis: { url: redis.url, timeout: '5s' } },
      backends: { brokers: { servers: brokers.servers(limits), check: { inter: '1s' } } },
    });
  await using one = await start(movers[0], 'lb1');
  await using two = await start(movers[1], 'lb2');
  movers[0].master();
  await roleSaid(one, 'active');
  const devices = ids('device', 40);
  await using crowd = await connectInTurn(one.port('mqtt'), devices);
  expect(crowd.refused).toEqual([]);
  await knowsConns(two, 40);

  await one.process.kill('SIGKILL');
  movers[1].master();
  await roleSaid(two, 'active');
  await using back = await connectInTurn(two.port('mqtt'), devices);
  expect(back.refused).toEqual([]);
  expect(await brokers.shares([...devices, ...devices])).toEqual([40, 40]);
  expect(strays(brokers.homes())).toEqual([]);
});
