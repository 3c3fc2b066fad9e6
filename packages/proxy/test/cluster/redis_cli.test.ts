import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Brokers, ended, landingsOf, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectInTurn, ids } from '../kit/crowd.ts';
import { connectLight } from '../kit/light_client.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { startTwoProxies, type TwoProxies } from '../kit/two_proxies.ts';

let brokers: Brokers;
let redis: RedisServer;
let proxies: TwoProxies;
beforeAll(async () => {
  brokers = await startBrokers(3);
  redis = await startRedis();
  proxies = await startTwoProxies(redis, {
    workers: 2,
    backends: { mqtt: { servers: brokers.servers(), check: { inter: '500ms' } } },
  });
});
afterAll(async () => {
  await proxies[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await brokers[Symbol.asyncDispose]();
});

const run = promisify(execFile);

/** What somebody sees who has `redis-cli` and nothing else; a pipe of the shell, too. */
async function shell(command: string): Promise<string[]> {
  const cli = `redis-cli -u ${redis.url}`;
  const { stdout } = await run('sh', ['-c', command.replaceAll('redis-cli', cli)]);
  return stdout.trimEnd().split('\n');
}

/** Lines in turn: field, value. */
function fields(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.flatMap((line, i) => (i % 2 === 0 ? [[line, lines[i + 1] ?? '']] : [])));
}

test('redis-cli alone: the table, the broker of a device, both proxies, their counts, and their verdicts', async () => {
  const clientIds = ids('device', 12);
  await using _one = await connectInTurn(proxies.one.port('mqtt'), clientIds.slice(0, 6));
  await using _two = await connectInTurn(proxies.two.port('mqtt'), clientIds.slice(6));

  const keys = await until(
    async () => {
      const found = await shell("redis-cli --scan --pattern 'limpet:stick:mqtt:*'");
      return found.length === clientIds.length && found;
    },
    { what: 'the table of a backend' },
  );
  expect(keys.toSorted()).toEqual(clientIds.map(id => `limpet:stick:mqtt:${id}`).toSorted());

  const homes = new Map([...(await landingsOf(proxies.one, clientIds.slice(0, 6)))].map(([id, [home]]) => [id, home]));
  for (const [id, home] of homes) {
    const [entry] = await shell(`redis-cli get limpet:stick:mqtt:${id}`);
    expect(entry).toMatch(new RegExp(`^${home}\\|lb1/[12]\\|\\d+\\|[po]$`));
    expect(Number((await shell(`redis-cli ttl limpet:stick:mqtt:${id}`))[0])).toBeGreaterThan(0);
  }

  const told = fields(await shell('redis-cli hgetall limpet:proxies'));
  expect(Object.keys(told).toSorted()).toEqual(['lb1', 'lb2']);
  for (const words of Object.values(told)) {
    expect(words).toMatch(
      /^version=\S+ start=\S+Z role=active ready=yes vip=none instance=[0-9a-f]{8} beat=\d{10}\.\d{3}$/,
    );
  }
  for (const name of ['lb1', 'lb2']) {
    await until(
      async () => (await shell(`redis-cli hvals limpet:conns:${name}`)).reduce((n, one) => n + Number(one), 0) === 6,
      {
        what: `six connections of ${name}`,
      },
    );
    const verdicts = fields(await shell(`redis-cli hgetall limpet:health:${name}`));
    expect(verdicts).toEqual({ 'mqtt/b1': 'UP L7OK', 'mqtt/b2': 'UP L7OK', 'mqtt/b3': 'UP L7OK' });
    for (const key of ['conns', 'health']) {
      const [ttl] = await shell(`redis-cli pttl limpet:${key}:${name}`);
      expect(Number(ttl)).toBeGreaterThan(0);
      expect(Number(ttl)).toBeLessThanOrEqual(3000);
    }
  }
});

test('redis-cli alone: a server is drained by HSET, and both proxies obey; the time is printed', async () => {
  const came: string[] = [];
  const land = async (name: string, place: 0 | 1): Promise<string> => {
    const limpet = proxies.both[place];
    if (limpet === undefined) throw new Error('there are two');
    const client = await connectLight(limpet.port('mqtt'), { clientId: name });
    const landed = await landingsOf(limpet, [name]);
    await client.leave();
    await ended(limpet, [name]);
    came.push(name);
    return landed.get(name)?.[0] ?? '';
  };
  const startMs = performance.now();
  await shell('redis-cli hset limpet:admin:mqtt b1 drain');
  const obeyMs = await Promise.all(
    proxies.both.map(async (_, place) => {
      const words = async (): Promise<boolean> =>
        (await shell(`redis-cli hget limpet:health:lb${place + 1} mqtt/b1`))[0]?.startsWith('DRAIN ') === true;
      await until(words, { what: `lb${place + 1} that drains b1` });
      return Math.round(performance.now() - startMs);
    }),
  );
  console.log(`both proxies obeyed, and said so in limpet:health, after ${obeyMs.join(' and ')} ms`);
  for (let i = 0; i < 6; i += 1) {
    expect(await land(`new-${i}`, i % 2 === 0 ? 0 : 1)).not.toBe('b1');
  }
  // Who is at home there goes elsewhere, and stays there, whichever proxy it meets.
  await shell('redis-cli hset limpet:admin:mqtt b1 ready');
  await shell('redis-cli set limpet:stick:mqtt:settled b1 PX 60000');
  await until(async () => (await shell('redis-cli hget limpet:health:lb2 mqtt/b1'))[0] === 'UP L7OK', {
    what: 'b1 again',
  });
  expect(await land('settled', 1)).toBe('b1');
  expect(came).toHaveLength(7);
});
