/** Each worker has a listening socket of its own (SO_REUSEPORT), which the primary holds as well. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { Crowd, connectAll, ids } from '../kit/crowd.ts';
import { arrive } from '../kit/light_client.ts';
import type { Limpet } from '../kit/limpet.ts';
import { relayKinds } from '../kit/relay_kind.ts';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** By libuv, or by the addon. */
const hasReusePort = major > 22 || (major === 22 && minor >= 12) || relayKinds.includes('native');

let brokers: Brokers;
beforeAll(async () => {
  brokers = await startBrokers(1);
});
afterAll(() => brokers[Symbol.asyncDispose]());

function startTwo(): Promise<Limpet> {
  return startCluster({ workers: 2, redis: null, backends: { all: { servers: brokers.servers() } } });
}

/** Clients of each worker, by the log. */
async function byWorker(limpet: Limpet, clients: number): Promise<number[]> {
  const connects = await until(
    () => {
      const events = limpet.events(({ event }) => event === 'connect');
      return events.length >= clients && events;
    },
    { what: 'a line for each client' },
  );
  return [1, 2].map(number => connects.filter(({ worker }) => worker === `lb/${number}`).length);
}

test.skipIf(!hasReusePort)('workers share evenly', async () => {
  await using limpet = await startTwo();
  await using crowd = await connectAll(limpet.port('all'), ids('even', 400));
  expect(crowd.refused).toEqual([]);
  const shares = await byWorker(limpet, 400);
  console.log(`400 clients: ${shares.join(' and ')}`);
  // The kernel hashes addresses and ports: 200 each, give or take 10 (the root of 400 over 4).
  expect(Math.min(...shares)).toBeGreaterThan(140);
});

test('P8: who waits in the backlog of a worker that is killed is served by its successor', async () => {
  await using limpet = await startTwo();
  const [frozen = 0] = limpet.workers();
  process.kill(frozen, 'SIGSTOP');
  let answered = 0;
  const arrivals = ids('backlog', 100).map(async clientId => {
    const arrival = await arrive(limpet.port('all'), { clientId });
    answered += 1;
    return arrival;
  });
  await until(() => answered > 20, { what: 'the other worker to serve its own' });
  process.kill(frozen, 'SIGKILL');
  await using crowd = new Crowd(await Promise.all(arrivals));
  console.log(`${answered} clients, the slowest after ${crowd.longestWaitMs} ms`);
  expect(crowd.refused).toEqual([]);
});
