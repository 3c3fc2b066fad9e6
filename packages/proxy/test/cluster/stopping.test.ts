import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { arrive } from '../kit/light_client.ts';
import { runLimpet } from '../kit/limpet.ts';
import { isAlive } from '../kit/proc.ts';
import type { Process } from '../kit/process.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';

const expireMs = 60_000;
const slackMs = 15_000;
const hardStopMs = 2000;

let brokers: Brokers;
let redis: RedisServer;
beforeAll(async () => {
  [brokers, redis] = await Promise.all([startBrokers(3), startRedis()]);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

const backends = (): Record<string, object> => ({
  mqtt: { servers: brokers.servers(), stick: { expire: `${expireMs}ms` } },
});

/** What is left to a client's entry, as soon as it cools. */
function coolingMs(clientId: string): Promise<number> {
  const key = `limpet:stick:mqtt:${clientId}`;
  return until(async () => (await redis.cli(['get', key])).endsWith('|c') && Number(await redis.cli(['pttl', key])), {
    what: `a cooling entry of ${clientId}`,
  });
}

test('SIGTERM: nobody is accepted any more, sessions go on until hard_stop_after, then all ends and entries cool', async () => {
  const workers = 4;
  await using limpet = await startCluster({
    workers,
    redis,
    backends: backends(),
    global: { hard_stop_after: `${hardStopMs}ms` },
  });
  const port = limpet.port('mqtt');
  const clientIds = ids('hard', 12);
  await using crowd = await connectAll(port, clientIds);
  expect(crowd.refused).toEqual([]);
  const pids = [limpet.process.pid, ...limpet.workers()];
  const startMs = Date.now();
  limpet.process.signal('SIGTERM');
  await limpet.waitForEvent(({ event }) => event === 'stopping', 'its word');
  await until(async () => (await arrive(port, { clientId: 'late' })).outcome === 'ECONNREFUSED', {
    what: 'a closed port',
  });
  await Promise.all(crowd.clients.map(client => client.ping()));
  await Promise.all(crowd.clients.map(client => client.closed));
  expect(Date.now() - startMs).toBeGreaterThanOrEqual(hardStopMs - 50);
  expect(await limpet.process.waitForExit()).toEqual({ code: 0, signal: null });
  await until(() => pids.filter(isAlive).length === 0, { what: 'the end of its processes' });
  const ends = limpet.events(({ event, why }) => event === 'end' && why === 'shutdown');
  expect(ends).toHaveLength(clientIds.length);
  for (const id of clientIds) {
    const leftMs = await coolingMs(id);
    expect(leftMs).toBeLessThanOrEqual(expireMs);
    expect(leftMs).toBeGreaterThan(expireMs - slackMs);
  }
});

test('SIGTERM: when the last client has left it ends, long before hard_stop_after', async () => {
  await using limpet = await startCluster({
    workers: 2,
    redis,
    backends: backends(),
    global: { hard_stop_after: '10m' },
  });
  const clientIds = ids('soft', 6);
  await using crowd = await connectAll(limpet.port('mqtt'), clientIds);
  limpet.process.signal('SIGTERM');
  await limpet.waitForEvent(({ event }) => event === 'stopping', 'its word');
  await Promise.all(crowd.clients.slice(1).map(client => client.leave()));
  const [last] = crowd.clients;
  await last?.ping();
  expect(limpet.process.exit).toBe(null);
  await last?.drop();
  expect(await limpet.process.waitForExit()).toEqual({ code: 0, signal: null });
  for (const id of clientIds) expect(await coolingMs(id)).toBeGreaterThan(expireMs - slackMs);
});

test.each(['SIGTERM', 'SIGINT'] as const)('a second signal (%s) ends all at once, and leaves nothing', async second => {
  await using limpet = await startCluster({
    workers: 2,
    redis,
    backends: backends(),
    global: { hard_stop_after: '10m' },
  });
  const port = limpet.port('mqtt');
  await using crowd = await connectAll(port, ids(`second-${second}`, 6));
  const pids = limpet.workers();
  limpet.process.signal('SIGTERM');
  await limpet.waitForEvent(({ event }) => event === 'stopping', 'its word');
  await Promise.all(crowd.clients.map(client => client.ping()));
  limpet.process.signal(second);
  expect(await limpet.process.waitForExit()).toEqual({ code: 1, signal: null });
  await Promise.all(crowd.clients.map(client => client.closed));
  await until(() => pids.filter(isAlive).length === 0, { what: 'the end of its workers' });
  expect((await arrive(port, { clientId: 'late' })).outcome).toBe('ECONNREFUSED');
});

/** How a program that cannot start ends, and what it says. */
async function lastWords(program: Process): Promise<{ code: number | null; words: string }> {
  await using _program = program;
  const { code } = await program.waitForExit(20_000);
  return {
    code,
    words: program.lines
      .filter(({ stream }) => stream === 'stderr')
      .map(({ text }) => text)
      .join('\n'),
  };
}

test('a port that is in use, and one that needs a permission, are clear errors with exit code 1', async () => {
  await using directory = await makeDirectory('bind');
  const configure = (bind: string): string =>
    directory.write(
      `${bind.replace(/\W/g, '_')}.yaml`,
      JSON.stringify({
        frontends: { mqtt: { bind, default_backend: 'mqtt' } },
        backends: { mqtt: { servers: brokers.servers() } },
      }),
    );
  const taken = brokers.address('b1');
  const inUse = await lastWords(runLimpet(['run', '-c', configure(taken)]));
  expect(inUse).toMatchObject({ code: 1 });
  expect(inUse.words).toContain(`cannot listen on ${taken}: the port is in use`);
  expect(inUse.words).toContain('BIND_IN_USE');

  // Root may do everything, so the right to low ports is taken away on the way to the program.
  const before = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-net_bind_service', '--'] : [];
  const denied = await lastWords(runLimpet(['run', '-c', configure('127.0.0.1:1')], { before }));
  expect(denied).toMatchObject({ code: 1 });
  expect(denied.words).toContain('cannot listen on 127.0.0.1:1: no permission');
  expect(denied.words).toContain('BIND_DENIED');
});
