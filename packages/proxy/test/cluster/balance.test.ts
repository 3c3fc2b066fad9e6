import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Brokers, ended, landingsOf, type Store, startBrokers, startCluster } from '../kit/cluster.ts';
import { connectAll, connectInTurn, ids } from '../kit/crowd.ts';
import { connectLight } from '../kit/light_client.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';

let brokers: Brokers;
let redis: RedisServer;
beforeAll(async () => {
  brokers = await startBrokers(3);
  redis = await startRedis();
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

const check = { inter: '500ms' };
const capacity = { b1: { maxconn: 40 }, b2: { maxconn: 40 }, b3: { maxconn: 40 } };

function backends(): Record<string, object> {
  const servers = brokers.servers();
  return {
    turns: { servers, check },
    weights: { servers: brokers.servers({ b1: { weight: 5 }, b2: { weight: 2 }, b3: { weight: 3 } }), check },
    leastconn: { balance: 'leastconn', servers, check },
    first: { balance: 'first', servers: brokers.servers({ b1: { maxconn: 5 }, b2: { maxconn: 5 } }), check },
    full: { servers: brokers.servers(capacity), check },
    source: { balance: 'source', stick: false, servers, check },
  };
}

/** Workers that have served somebody, by the log. */
function busyWorkers(limpet: Limpet): number {
  return new Set(limpet.events(({ event }) => event === 'connect').map(({ worker }) => worker)).size;
}

describe.each<{ workers: number; store: Store }>([
  { workers: 1, store: 'memory' },
  { workers: 2, store: 'memory' },
  { workers: 4, store: 'memory' },
  { workers: 1, store: 'redis' },
  { workers: 2, store: 'redis' },
  { workers: 4, store: 'redis' },
])('$workers workers, $store', ({ workers, store }) => {
  const name = `${store}${workers}`;
  let limpet: Limpet;
  beforeAll(async () => {
    await redis.cli(['flushall']);
    limpet = await startCluster({ workers, redis: store === 'redis' ? redis : null, backends: backends() });
  });
  afterAll(async () => {
    console.log(`${name}: ${busyWorkers(limpet)} of ${workers} workers have served`);
    await limpet[Symbol.asyncDispose]();
  });

  test('P6: ten clients on three equal servers land 4, 3, 3, and thirty-one one after the other 11, 10, 10', async () => {
    const ten = ids(`ten-${name}`, 10);
    await using _ten = await connectAll(limpet.port('turns'), ten);
    expect((await brokers.shares(ten)).sort()).toEqual([3, 3, 4]);
    // The turn goes on where it stood: 41 in all are 14, 14, 13.
    const more = ids(`more-${name}`, 31);
    await using _more = await connectInTurn(limpet.port('turns'), more);
    expect((await brokers.shares([...ten, ...more])).sort()).toEqual([13, 14, 14]);
  });

  test('P6: weights 5, 2, 3 over a hundred clients at once are exactly 50, 20, 30', async () => {
    const hundred = ids(`weights-${name}`, 100);
    await using _crowd = await connectAll(limpet.port('weights'), hundred);
    expect(await brokers.shares(hundred)).toEqual([50, 20, 30]);
  });

  test('P6: leastconn is even under ninety at once, and evens out when the clients of one server have left', async () => {
    const ninety = ids(`least-${name}`, 90);
    await using crowd = await connectAll(limpet.port('leastconn'), ninety);
    expect(await brokers.shares(ninety)).toEqual([30, 30, 30]);
    const homes = await landingsOf(limpet, ninety);
    const gone = crowd.clients.filter(({ clientId }) => homes.get(clientId)?.[0] === 'b2');
    await Promise.all(gone.map(client => client.leave()));
    await ended(
      limpet,
      gone.map(({ clientId }) => clientId),
    );
    // b2 has none, the others have 30: the next 45 fill it up, then all three get 5.
    const next = ids(`least-next-${name}`, 45);
    await using _next = await connectAll(limpet.port('leastconn'), next);
    expect(await brokers.shares(next)).toEqual([5, 35, 5]);
  });

  test('first: a server is filled up to its maxconn before the next one is used, and again when one has left', async () => {
    const twelve = ids(`first-${name}`, 12);
    await using crowd = await connectAll(limpet.port('first'), twelve);
    expect(await brokers.shares(twelve)).toEqual([5, 5, 2]);
    const homes = await landingsOf(limpet, twelve);
    const leaver = twelve.find(id => homes.get(id)?.[0] === 'b1') ?? '';
    await crowd.clients.find(({ clientId }) => clientId === leaver)?.leave();
    await ended(limpet, [leaver]);
    await using _next = await connectLight(limpet.port('first'), { clientId: `first-next-${name}` });
    expect(await brokers.shares([`first-next-${name}`])).toEqual([1, 0, 0]);
  });

  test('maxconn: 200 clients at once fill three servers of 40 to the last place and never exceed it', async () => {
    const all = ids(`full-${name}`, 200);
    await using crowd = await connectAll(limpet.port('full'), all);
    expect(crowd.clients).toHaveLength(120);
    expect(new Set(crowd.arrivals.map(({ outcome }) => outcome))).toEqual(new Set(['accepted', 'refused 0x03']));
    const inside = crowd.clients.map(({ clientId }) => clientId);
    expect(await brokers.shares(inside)).toEqual([40, 40, 40]);
    // Nobody that was refused has been at a broker.
    expect(
      brokers.names.flatMap(each => brokers.connections(each)).filter(({ clientId }) => all.includes(clientId)),
    ).toHaveLength(120);
    await limpet.waitForEvent(({ event, reason }) => event === 'refused' && reason === 'server_full', 'a refusal');
  });

  test('source: all clients of one address go to one server, and addresses spread over servers', async () => {
    const addresses = Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`);
    const crowds = await Promise.all(
      addresses.map(localAddress =>
        connectAll(limpet.port('source'), ids(`${localAddress}-${name}`, 3), { localAddress }),
      ),
    );
    await Promise.all(crowds.map(crowd => crowd.leave()));
    expect(crowds.flatMap(({ refused }) => refused)).toEqual([]);
    const clients = crowds.map(crowd => crowd.clients.map(({ clientId }) => clientId));
    const homes = await landingsOf(limpet, clients.flat());
    const used = clients.map(ofAddress => new Set(ofAddress.flatMap(id => homes.get(id) ?? [])));
    expect(used.map(servers => servers.size)).toEqual(addresses.map(() => 1));
    expect(new Set(used.flatMap(servers => [...servers])).size).toBe(3);
  });
});
