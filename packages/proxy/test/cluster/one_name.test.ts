import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, startBrokers, startCluster } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectInTurn, ids } from '../kit/crowd.ts';
import { Heirs } from '../kit/heirs.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';

let brokers: Brokers;
let redis: RedisServer;
beforeAll(async () => {
  brokers = await startBrokers(2);
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await brokers[Symbol.asyncDispose]();
});

function start(name: string): Promise<Limpet> {
  const backends = { mqtt: { balance: 'leastconn', servers: brokers.servers(), check: { inter: '500ms' } } };
  return startCluster({ workers: 1, redis, backends, global: { name, hard_stop_after: '60s' } });
}

async function instanceOf(name: string): Promise<string | undefined> {
  return /instance=(\S+)/.exec(await redis.cli(['hget', 'limpet:proxies', name]))?.[1];
}

/** Waits for so many changes of the beat. */
async function beats(name: string, count: number): Promise<void> {
  const seen = new Set<string>();
  const isEnough = async (): Promise<boolean> =>
    seen.add(await redis.cli(['hget', 'limpet:proxies', name])).size > count;
  await until(isEnough, { what: `${count} beats of ${name}`, timeoutMs: 30_000 });
}

test('two proxies of one name: each tells its operator, once, what to do; both serve', async () => {
  await using one = await start('same');
  await using two = await start('same');
  const taken = (limpet: Limpet) => limpet.events(({ event }) => event === 'proxy_name_taken');
  for (const limpet of [one, two]) {
    await limpet.waitForEvent(({ event }) => event === 'proxy_name_taken', 'a word about the name', 30_000);
  }
  await beats('same', 8);
  expect([taken(one).length, taken(two).length]).toEqual([1, 1]);
  expect(taken(one)[0]).toMatchObject({
    level: 'error',
    proxy: 'same',
    remedy: expect.stringContaining('global.name'),
  });
  await using _one = await connectInTurn(one.port('mqtt'), ids('one', 2));
  await using _two = await connectInTurn(two.port('mqtt'), ids('two', 2));
  expect([_one.refused, _two.refused]).toEqual([[], []]);
});

test('an upgrade: the new process tells for both, and takes neither name nor counts from itself', async () => {
  await using limpet = await start('lb1');
  await using heirs = new Heirs(limpet);
  const sum = async (): Promise<number> =>
    (await redis.cli(['hvals', 'limpet:conns:lb1'])).split('\n').reduce((all, one) => all + Number(one), 0);
  await using _before = await connectInTurn(limpet.port('mqtt'), ids('before', 10));
  await until(async () => (await sum()) === 10, { what: 'ten connections of the old process' });
  const instance = await instanceOf('lb1');
  await heirs.upgrade();
  await until(async () => (await instanceOf('lb1')) !== instance, { what: 'words of the new process' });
  const heir = await instanceOf('lb1');
  await using _after = await connectInTurn(limpet.port('mqtt'), ids('after', 4));
  await until(async () => (await sum()) === 14, { what: 'fourteen connections of both' });
  await beats('lb1', 5);
  expect([await instanceOf('lb1'), await sum()]).toEqual([heir, 14]);
  expect(heirs.lines('proxy_name_taken')).toEqual([]);
  // The old process ends, and takes nothing of this with it.
  await Promise.all(_before.clients.map(client => client.leave()));
  await until(() => heirs.lines('predecessor_gone').length === 1, { what: 'the end of the old process' });
  await until(async () => (await sum()) === 4, { what: 'the four that are left' });
  await beats('lb1', 2);
  expect(await instanceOf('lb1')).toBe(heir);
  await _after.leave();
  heirs.signal('SIGTERM');
  await until(async () => (await redis.cli(['hexists', 'limpet:proxies', 'lb1'])) === '0', { what: 'its leave' });
  expect(await redis.cli(['exists', 'limpet:conns:lb1', 'limpet:health:lb1'])).toBe('0');
});
