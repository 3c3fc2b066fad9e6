import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { ids } from '../kit/crowd.ts';
import { type Arrival, arrive, type LightClient } from '../kit/light_client.ts';
import type { Limpet } from '../kit/limpet.ts';
import { cpuMs } from '../kit/proc.ts';

const watchMs = 1500;

let brokers: Brokers;
beforeAll(async () => {
  brokers = await startBrokers(3);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
});

/** Clients that may have to wait for their CONNACK. */
class Queue implements AsyncDisposable {
  readonly inside: LightClient[] = [];
  readonly failures: string[] = [];
  readonly #arrivals: Promise<Arrival>[] = [];

  constructor(limpet: Limpet, clientIds: readonly string[]) {
    for (const clientId of clientIds) {
      const arrival = arrive(limpet.port('mqtt'), { clientId, timeoutMs: 60_000 });
      this.#arrivals.push(arrival);
      void arrival.then(({ client, outcome }) => {
        if (client === null) this.failures.push(`${clientId}: ${outcome}`);
        else this.inside.push(client);
      });
    }
  }

  async waitForInside(count: number): Promise<void> {
    await until(() => this.inside.length >= count, {
      what: `${count} clients inside`,
      seen: () => `${this.inside.length}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let left = 0; left < this.inside.length; left += 1) await this.inside[left]?.leave();
    for (const arrival of this.#arrivals) await (await arrival).client?.leave();
  }
}

test.concurrent.each([1, 2, 4])(
  'global.maxconn 20: of 30 clients 20 are in, the others wait and get in when some leave (%i workers)',
  async workers => {
    await using limpet = await startCluster({
      workers,
      global: { maxconn: 20 },
      backends: { mqtt: { servers: brokers.servers() } },
    });
    const clientIds = ids(`max${workers}`, 30);
    await using queue = new Queue(limpet, clientIds);
    await queue.waitForInside(20);
    // That no more get in needs its time.
    await delay(watchMs);
    expect(queue.inside).toHaveLength(20);
    expect(queue.failures).toEqual([]);
    const atBrokers = (): number =>
      brokers.names.flatMap(name => brokers.connections(name)).filter(({ clientId }) => clientIds.includes(clientId))
        .length;
    expect(atBrokers()).toBe(20);
    await Promise.all(queue.inside.slice(0, 4).map(client => client.leave()));
    await queue.waitForInside(24);
    await delay(watchMs);
    expect(queue.inside).toHaveLength(24);
    await Promise.all(queue.inside.slice(4, 10).map(client => client.leave()));
    await queue.waitForInside(30);
    expect(queue.failures).toEqual([]);
    await Promise.all(queue.inside.slice(10).map(client => client.ping()));
  },
);

test('without descriptors accepting pauses and nothing spins; it goes on when some are free', async () => {
  const workers = 2;
  const each = 10;
  // Node raises its soft limit to the hard one, so this is the hard one: 128 in reserve, two for each session.
  const nofile = 128 + 2 * each;
  await using limpet = await startCluster(
    { workers, backends: { mqtt: { servers: brokers.servers() } } },
    { before: ['prlimit', `--nofile=${nofile}:${nofile}`] },
  );
  const clientIds = ids('few', 3 * workers * each);
  await using queue = new Queue(limpet, clientIds);
  await queue.waitForInside(workers * each);
  const pids = [limpet.process.pid, ...limpet.workers()];
  const before = pids.map(cpuMs);
  await delay(watchMs);
  const used = pids.map((pid, index) => cpuMs(pid) - (before[index] ?? 0));
  console.log(
    `${workers * each} of ${clientIds.length} inside; CPU of primary and workers in ${watchMs} ms: ${used.join(', ')} ms`,
  );
  expect(queue.inside).toHaveLength(workers * each);
  // One that spins takes all of a core; two of them on two cores, half at least.
  expect(used.filter(ms => ms > watchMs / 4)).toEqual([]);
  for (let round = 1; round <= 2; round += 1) {
    const leaving = queue.inside.slice((round - 1) * workers * each, round * workers * each);
    await Promise.all(leaving.map(client => client.leave()));
    await queue.waitForInside((round + 1) * workers * each);
  }
  expect(queue.failures).toEqual([]);
  await Promise.all(queue.inside.slice(2 * workers * each).map(client => client.ping()));
});
