import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Brokers, landingsOf, type Store, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { type Crowd, connectAll, ids } from '../kit/crowd.ts';
import { arrive, connectLight, type LightClient } from '../kit/light_client.ts';
import type { Limpet } from '../kit/limpet.ts';
import { isAlive, sinceBootMs, startedAtMs } from '../kit/proc.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';

const places = 30;
const clientCount = 3 * places;
const workers = 4;
/** At this level the primary says which process is which worker. */
const global = { log: { level: 'debug' } };

let brokers: Brokers;
let redis: RedisServer;
beforeAll(async () => {
  [brokers, redis] = await Promise.all([startBrokers(3), startRedis()]);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

/** The worker with the most of these clients, and which they are. */
function busiest(limpet: Limpet, crowd: Crowd): { name: string; clients: LightClient[] } {
  const workerOf = new Map(
    limpet.events(({ event }) => event === 'connect').map(({ client_id, worker }) => [client_id, String(worker)]),
  );
  const byWorker = new Map<string, LightClient[]>();
  for (const client of crowd.clients) {
    const name = workerOf.get(client.clientId) ?? '';
    byWorker.set(name, [...(byWorker.get(name) ?? []), client]);
  }
  const [most] = [...byWorker].sort((a, b) => b[1].length - a[1].length);
  if (most === undefined) throw new Error('nobody is connected');
  return { name: most[0], clients: most[1] };
}

/** Kills the worker of that name (`lb/3` is worker 3), and answers with the process id of its successor. */
async function killWorker(limpet: Limpet, name: string): Promise<number> {
  const before = limpet.workers();
  const number = Number(name.split('/')[1]);
  const ready = limpet.events(({ event, id }) => event === 'worker_ready' && id === number);
  const pid = Number(ready[0]?.worker_pid);
  process.kill(pid, 'SIGKILL');
  const died = await limpet.waitForEvent(({ event, id }) => event === 'worker_died' && id === number, 'its death');
  expect(died).toMatchObject({ worker_pid: pid, how: 'SIGKILL' });
  return until(() => limpet.workers().find(one => !before.includes(one)), { what: 'a new worker' });
}

describe.each<{ store: Store }>([{ store: 'memory' }, { store: 'redis' }])('$store', ({ store }) => {
  test('P8: a killed worker costs only its own clients; its places are free again, to the last one; its clients come home', async () => {
    const servers = brokers.servers({ b1: { maxconn: places }, b2: { maxconn: places }, b3: { maxconn: places } });
    const balanced = { balance: 'leastconn', servers: brokers.servers() };
    await using limpet = await startCluster({
      workers,
      global,
      redis: store === 'redis' ? redis : null,
      backends: { full: { servers }, even: balanced },
    });
    await using even = await connectAll(limpet.port('even'), ids(`even-${store}`, clientCount));
    await using crowd = await connectAll(limpet.port('full'), ids(`full-${store}`, clientCount));
    expect([...even.refused, ...crowd.refused]).toEqual([]);
    const everybody = [...even.clients, ...crowd.clients].map(({ clientId }) => clientId);
    const homes = new Map([...(await landingsOf(limpet, everybody))].map(([id, names]) => [id, names[0]]));
    const late = await arrive(limpet.port('full'), { clientId: `late-${store}` });
    expect(late.outcome).toBe('refused 0x03');

    const { name, clients: lost } = busiest(limpet, crowd);
    const lostEven = even.clients.filter(client => workerOf(limpet, client) === name);
    const successor = await killWorker(limpet, name);
    await Promise.all([...lost, ...lostEven].map(client => client.closed));
    const kept = [...crowd.clients, ...even.clients].filter(
      client => !lost.includes(client) && !lostEven.includes(client),
    );
    expect(kept.filter(client => client.isClosed)).toEqual([]);
    await Promise.all(kept.map(client => client.ping()));
    console.log(
      `${store}: worker ${name} died with ${lost.length + lostEven.length} clients, ${kept.length} others stayed`,
    );

    // They return to where they were, although every other place is taken: so exactly theirs were given back.
    await using back = await connectAll(
      limpet.port('full'),
      lost.map(({ clientId }) => clientId),
    );
    expect(back.refused).toEqual([]);
    const lines = (id: string): string[] =>
      limpet
        .events(({ event, client_id }) => event === 'connect' && client_id === id)
        .map(({ server }) => String(server));
    await until(() => lost.every(({ clientId }) => lines(clientId).length === 2), { what: 'their lines' });
    expect(lost.map(({ clientId }) => lines(clientId)[1])).toEqual(lost.map(({ clientId }) => homes.get(clientId)));
    expect((await arrive(limpet.port('full'), { clientId: `late-${store}` })).outcome).toBe('refused 0x03');

    // leastconn sees the truth as well: newcomers fill what the dead worker's clients have left, and all are even again.
    const newcomers = ids(`even-new-${store}`, lostEven.length);
    await using more = await connectAll(limpet.port('even'), newcomers);
    expect(more.refused).toEqual([]);
    await landingsOf(limpet, newcomers);
    const now = [...even.clients.filter(client => !client.isClosed), ...more.clients].map(({ clientId }) => clientId);
    const landed = await landingsOf(limpet, now);
    expect(brokers.names.map(server => now.filter(id => landed.get(id)?.at(-1) === server).length)).toEqual([
      places,
      places,
      places,
    ]);
    expect(isAlive(successor)).toBe(true);
  });
});

function workerOf(limpet: Limpet, client: LightClient): string {
  const line = limpet.events(({ event, client_id }) => event === 'connect' && client_id === client.clientId).at(-1);
  return String(line?.worker);
}

test('P8: the successor of a dead worker serves clients', async () => {
  await using limpet = await startCluster({ workers: 1, global, backends: { mqtt: { servers: brokers.servers() } } });
  await using _before = await connectLight(limpet.port('mqtt'), { clientId: 'solo-before' });
  await killWorker(limpet, 'lb/1');
  // The port was open all the time: who comes before the successor accepts waits for it.
  await using after = await connectLight(limpet.port('mqtt'), { clientId: 'solo-after' });
  await after.ping();
  await landingsOf(limpet, ['solo-after']);
  expect(workerOf(limpet, after)).toBe('lb/2');
});

test('P8: a worker that dies again and again is replaced at once at first, then after 100, 200, 400, 800 ms', async () => {
  await using limpet = await startCluster({ workers: 2, backends: { mqtt: { servers: brokers.servers() } } });
  const [steady = 0] = limpet.workers();
  let victim = limpet.workers().find(pid => pid !== steady) ?? 0;
  const delays: number[] = [];
  for (let death = 0; death < 5; death += 1) {
    process.kill(victim, 'SIGKILL');
    await limpet.waitForEvent(({ event, worker_pid }) => event === 'worker_died' && worker_pid === victim, 'its death');
    const gone = limpet.events(({ worker_pid }) => worker_pid === victim).at(-1);
    victim = await until(() => limpet.workers().find(pid => pid !== steady && pid !== victim), {
      what: 'a new worker',
    });
    delays.push(startedAtMs(victim) - sinceBootMs(Date.parse(String(gone?.time))));
  }
  console.log(`delays before a new worker: ${delays.map(Math.round).join(', ')} ms`);
  // Both clocks tick in steps of 10 ms.
  const least = [0, 100, 200, 400, 800];
  expect(delays.filter((delay, index) => delay < (least[index] ?? 0) - 20)).toEqual([]);
  expect(delays[0]).toBeLessThan(delays[4] ?? 0);
  await using client = await connectLight(limpet.port('mqtt'), { clientId: 'steady' });
  await client.ping();
  expect(isAlive(steady)).toBe(true);
});

test('P8: when the primary is killed, all workers end, and with them every socket', async () => {
  await using limpet = await startCluster({ workers, backends: { mqtt: { servers: brokers.servers() } } });
  const port = limpet.port('mqtt');
  const crowd = await connectAll(port, ids('orphan', 20));
  expect(crowd.refused).toEqual([]);
  const pids = limpet.workers();
  expect(pids).toHaveLength(workers);
  await limpet.process.kill('SIGKILL');
  await until(() => pids.filter(isAlive).length === 0, { what: 'the end of all workers' });
  await Promise.all(crowd.clients.map(client => client.closed));
  expect((await arrive(port, { clientId: 'nobody-there' })).outcome).toBe('ECONNREFUSED');
});
