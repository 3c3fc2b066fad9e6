import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAuthority } from '../kit/certificates.ts';
import { type Brokers, type Store, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids, Stream } from '../kit/crowd.ts';
import { Heirs } from '../kit/heirs.ts';
import { startLimpet } from '../kit/limpet.ts';
import { startRedis } from '../kit/redis.ts';
import { connectSecure } from '../kit/secure_client.ts';

const openCount = 500;
const upgrades = 3;
/** A hundred connects a second. */
const everyMs = 10;
/** So many between two upgrades at least. */
const perUpgrade = 100;
const visitorCount = 200;
const briefCount = 50;
/** Some sessions live longer than that, in processes that are being replaced. */
const expireMs = 6000;

let brokers: Brokers;
beforeAll(async () => {
  brokers = await startBrokers(3);
});
afterAll(async () => {
  await brokers[Symbol.asyncDispose]();
});

function configOf(more: { readonly state?: object; readonly global?: object; readonly bind?: object } = {}): object {
  return {
    global: { name: 'lb', workers: 2, hard_stop_after: '120s', log: { level: 'debug' }, ...more.global },
    state: more.state ?? {},
    frontends: {
      mqtt: { bind: more.bind ?? '127.0.0.1:0', default_backend: 'emqx' },
      brief: { bind: '127.0.0.1:0', default_backend: 'brief' },
    },
    backends: {
      emqx: { stick: { on: 'client_id' }, balance: 'leastconn', servers: brokers.servers() },
      brief: { stick: { on: 'client_id', expire: `${expireMs}ms` }, balance: 'leastconn', servers: brokers.servers() },
    },
  };
}

/** Clients that were on more than one broker, and the way they went. */
function strays(clientIds: readonly string[]): string[] {
  const homes = brokers.homes();
  const ways = clientIds.map(clientId => homes.get(clientId) ?? []);
  return ways.flatMap((way, index) => (new Set(way).size > 1 ? [`${clientIds[index]}: ${way.join(' ')}`] : []));
}

test.for(['memory', 'redis'] as Store[])(
  'P2, P3, P9: upgrades under load lose no session, refuse no connect and move no client, store %s',
  async store => {
    await using redis = store === 'redis' ? await startRedis() : null;
    const state = redis === null ? {} : { store: 'redis', redis: { url: redis.url } };
    await using limpet = await startLimpet(configOf({ state }));
    await using heirs = new Heirs(limpet);
    const port = limpet.port('mqtt');
    const liveIds = ids(`${store}-live`, openCount);
    const visitorIds = ids(`${store}-visitor`, visitorCount);
    await using live = await connectAll(port, liveIds);
    const briefIds = ids(`${store}-brief`, briefCount);
    await using brief = await connectAll(limpet.port('brief'), briefIds);
    expect([...live.refused, ...brief.refused]).toEqual([]);
    await using visitors = new Stream(port, {
      everyMs,
      next: number => ({ clientId: visitorIds[number % visitorCount] ?? '' }),
      arrived: ({ client }) => void client?.leave(),
    });
    const took: number[] = [];
    const startMs = performance.now();
    for (let number = 0; number < upgrades; number += 1) {
      const { ms } = await heirs.upgrade();
      took.push(Number(ms));
      const before = visitors.count;
      await until(() => visitors.count >= before + perUpgrade, { what: 'more visitors', timeoutMs: 30_000 });
    }
    await until(() => performance.now() - startMs > 2 * expireMs, { what: 'more than `expire`', timeoutMs: 30_000 });
    const crowd = await visitors.stop();
    expect(crowd.refused).toEqual([]);
    await Promise.all(live.clients.map(client => client.ping()));
    expect(live.clients.filter(({ isClosed }) => isClosed)).toEqual([]);
    // All of them are in the first process still, and come back to the last one.
    await Promise.all(brief.clients.map(client => client.ping()));
    await brief.leave();
    await using again = await connectAll(limpet.port('brief'), briefIds);
    await live.leave();
    await using back = await connectAll(port, liveIds);
    expect([...again.refused, ...back.refused]).toEqual([]);
    await Promise.all(back.clients.map(client => client.ping()));
    await limpet.process.waitUntil('the end of all before', () => heirs.lines('predecessor_gone').length === upgrades);
    expect(brokers.homes().get(liveIds[0] ?? '')).toHaveLength(2);
    expect(strays([...briefIds, ...liveIds, ...visitorIds])).toEqual([]);
    expect(heirs.lines('worker_died')).toEqual([]);
    const away = heirs.lines('redis_away').length;
    const slowest = Math.round(crowd.longestWaitMs);
    console.log(
      `${store}: ${upgrades} upgrades, ${took.join(', ')} ms each; ${visitors.count} connects, the slowest ${slowest} ms, Redis away ${away} times`,
    );
  },
);

test('P9: sessions of the old process end at hard_stop_after, not before', async () => {
  await using limpet = await startLimpet(configOf({ global: { hard_stop_after: '2s' } }));
  await using heirs = new Heirs(limpet);
  await using live = await connectAll(limpet.port('mqtt'), ids('limited', 20));
  await heirs.upgrade();
  const upgradedMs = performance.now();
  await Promise.all(live.clients.map(client => client.ping()));
  await until(() => live.clients.some(({ isClosed }) => isClosed), { what: 'the limit' });
  expect(performance.now() - upgradedMs).toBeGreaterThan(1500);
  await until(() => live.clients.every(({ isClosed }) => isClosed), { what: 'the end of all sessions' });
  await limpet.process.waitUntil('the end of the old one', () => heirs.lines('predecessor_gone').length === 1);
});

test('P9: the new process resumes the TLS sessions of the old one', async () => {
  await using authority = await makeAuthority();
  const { bundle } = await authority.issue({ cn: 'limpet' });
  await using limpet = await startLimpet(configOf({ bind: { address: '127.0.0.1:0', tls: { cert: bundle } } }));
  await using heirs = new Heirs(limpet);
  const port = limpet.port('mqtt');
  const sessions = new Map<string, Buffer>();
  for (const clientId of ids('secure', 300)) {
    await using client = await connectSecure(port, { clientId });
    await until(() => client.session !== null, { what: `a session for ${clientId}` });
    if (client.session !== null) sessions.set(clientId, client.session);
  }
  await heirs.upgrade();
  const full: string[] = [];
  for (const [clientId, session] of sessions) {
    await using client = await connectSecure(port, { clientId, tls: { session } });
    if (!client.resumed) full.push(clientId);
  }
  expect([sessions.size, full]).toEqual([300, []]);
  expect(strays([...sessions.keys()])).toEqual([]);
});
