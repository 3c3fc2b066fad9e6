/** Workers that have descriptors for few: the kernel gives clients to any of them, and those that have room take them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { ids } from '../kit/crowd.ts';
import { arrive, type LightClient } from '../kit/light_client.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';

const each = 10;
/** 128 in reserve, two for each session. With much fewer Node cannot load the program. */
const nofile = 128 + 2 * each;

let brokers: Brokers;
beforeAll(async () => {
  brokers = await startBrokers(1);
});
afterAll(() => brokers[Symbol.asyncDispose]());

function configOf(workers: number, frontends: readonly string[]): object {
  const frontend = { bind: '127.0.0.1:0', default_backend: 'all' };
  return {
    global: { name: 'lb', workers, hard_stop_after: '2s' },
    frontends: Object.fromEntries(frontends.map(name => [name, frontend])),
    backends: { all: { servers: brokers.servers() } },
  };
}

/** Clients that wait for their CONNACK, and stay then. */
class Waiters implements AsyncDisposable {
  readonly #entered: LightClient[] = [];
  readonly failures: string[] = [];
  readonly #arrivals: Promise<LightClient | null>[];

  constructor(port: number, clientIds: readonly string[]) {
    this.#arrivals = clientIds.map(async clientId => {
      const { client, outcome } = await arrive(port, { clientId, timeoutMs: 60_000 });
      if (client === null) this.failures.push(`${clientId}: ${outcome}`);
      else this.#entered.push(client);
      return client;
    });
  }

  /** Those who have ever been inside. */
  get entered(): number {
    return this.#entered.length;
  }

  get inside(): LightClient[] {
    return this.#entered.filter(({ isClosed }) => !isClosed);
  }

  /** Whoever gets in leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let left = 0; left < this.#entered.length; left += 1) await this.#entered[left]?.leave();
    for (const arrival of this.#arrivals) await (await arrival)?.leave();
  }
}

async function reload(limpet: Limpet, config: object): Promise<void> {
  limpet.writeConfig(config);
  limpet.process.signal('SIGHUP');
  await limpet.waitForEvent(({ event }) => event === 'reload', 'the reload');
}

async function waitForInside(count: number, ...crowds: readonly Waiters[]): Promise<void> {
  const inside = (): number => crowds.reduce((sum, crowd) => sum + crowd.inside.length, 0);
  await until(() => inside() >= count, { what: `${count} clients inside`, seen: () => `${inside()}` });
}

/** The worker that each client has come to. */
function workers(limpet: Limpet): Map<unknown, unknown> {
  return new Map(limpet.events(({ event }) => event === 'connect').map(line => [line.client_id, line.worker]));
}

/** `times` clients of one worker leave, one after the other: others come in until there are `inside`, wherever they wait. */
async function changeAt(
  limpet: Limpet,
  { worker, times, inside }: { readonly worker: unknown; readonly times: number; readonly inside: number },
  ...crowds: readonly Waiters[]
): Promise<void> {
  const ofWorker = (): LightClient | undefined =>
    crowds.flatMap(crowd => crowd.inside).find(({ clientId }) => workers(limpet).get(clientId) === worker);
  for (let time = 0; time < times; time += 1) {
    const leaving = await until(ofWorker, { what: `a client of ${worker}` });
    await leaving.leave();
    await waitForInside(inside, ...crowds);
  }
}

test.each([2, 4])('a place that is free at one of %i workers is had by whoever waits at another one', async count => {
  const all = count * each;
  const config = configOf(count, ['mqtt']);
  await using limpet = await startLimpet(config, { before: ['prlimit', `--nofile=${nofile}:${nofile}`] });
  await using waiters = new Waiters(limpet.port('mqtt'), ids(`relief${count}`, 3 * all));
  await waitForInside(all, waiters);
  // Whom a worker has accepted by the time that it is full is served all the same (`over`, descriptors.ts): two from each socket.
  expect(waiters.entered).toBeLessThanOrEqual(all + 2 * count ** 2);
  await changeAt(limpet, { worker: 'lb/1', times: 2 * all, inside: all }, waiters);
  await reload(limpet, configOf(count, ['mqtt', 'more']));
  await using others = new Waiters(limpet.port('more'), ids(`others${count}`, all));
  await changeAt(limpet, { worker: 'lb/1', times: all, inside: all }, waiters, others);
  expect([waiters.entered, others.entered]).toEqual([3 * all, all]);
  expect([...waiters.failures, ...others.failures]).toEqual([]);
});

test('P8: one of several that are full is killed: its successor and the others take whoever waits, at any of them', async () => {
  const all = 3 * each;
  const config = configOf(3, ['mqtt']);
  await using limpet = await startLimpet(config, { before: ['prlimit', `--nofile=${nofile}:${nofile}`] });
  await using waiters = new Waiters(limpet.port('mqtt'), ids('killed', 3 * all));
  await waitForInside(all, waiters);
  const before = waiters.inside;
  const [victim = 0] = limpet.workers();
  process.kill(victim, 'SIGKILL');
  await until(() => before.filter(({ isClosed }) => isClosed).length === each, { what: 'the end of its clients' });
  await waitForInside(all, waiters);
  const alive = before.find(({ isClosed }) => !isClosed);
  const worker = workers(limpet).get(alive?.clientId);
  await changeAt(limpet, { worker, times: 2 * all - each, inside: all }, waiters);
  expect(waiters.entered).toBe(3 * all);
  expect(waiters.failures).toEqual([]);
});
