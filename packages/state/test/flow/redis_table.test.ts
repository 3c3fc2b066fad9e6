import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectRedis } from '../../src/redis.ts';
import { redisTable } from '../../src/redis_table.ts';
import { pinnedMs } from '../../src/times.ts';
import { stickTableConformance } from '../conformance.ts';
import { newPrefix, times, Worker } from '../opened.ts';
import { RedisServer } from '../redis_server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

stickTableConformance('redis', async times => {
  const connection = connectRedis({
    target: { kind: 'server', url: server.url },
    prefix: newPrefix(),
    timeoutMs: 1000,
    name: 'conformance',
  });
  await connection.circuit.firstContact;
  return { table: redisTable(connection, 'emqx', times), [Symbol.asyncDispose]: () => connection.close() };
});

stickTableConformance('guard over redis', async times => {
  const worker = await Worker.there({ url: server.url, times, timeoutMs: 1000 });
  return { table: worker.table, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
});

const awayUrl = 'unix:///nonexistent/redis.sock';
const openAway = async (times: { pendingMs: number; expireMs: number }) => {
  const worker = new Worker({ url: awayUrl, times });
  expect(await worker.connection.circuit.firstContact).toBe(false);
  return { table: worker.table, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
};
stickTableConformance('guard with redis away', openAway, true);

const ann = { owner: 'lb1/1', epoch: 7 };
const pin = { key: 'device', server: 'emqx1', by: ann };

describe('as redis-cli shows it', () => {
  it('the value begins with the server, and PTTL is what is left', async () => {
    const prefix = newPrefix();
    await using worker = await Worker.there({ url: server.url, prefix });
    const key = `${prefix}:stick:emqx:device`;
    const { shared } = worker;
    await shared.claim({ key: 'device', usable: ['emqx1'], candidate: 'emqx1', by: ann });
    expect(await server.admin.get(key)).toBe('emqx1|lb1/1|7|p');
    expect(await server.admin.pttl(key)).toBeLessThanOrEqual(times.pendingMs);
    await shared.confirm(pin);
    expect(await server.admin.get(key)).toBe('emqx1|lb1/1|7|o');
    const ttlMs = await server.admin.pttl(key);
    expect(ttlMs).toBeGreaterThan(times.expireMs);
    expect(ttlMs).toBeLessThanOrEqual(pinnedMs(times.expireMs));
    await shared.release(pin);
    expect(await server.admin.get(key)).toBe('emqx1|lb1/1|7|c');
    expect(await server.admin.pttl(key)).toBeLessThanOrEqual(times.expireMs);
    expect(await server.admin.pttl(key)).toBeGreaterThan(times.expireMs - 5000);
    expect(await server.admin.keys(`${prefix}:*`)).toEqual([key]);
  });

  it('P3: a renewal brings a pinned entry back to its full time', async () => {
    const prefix = newPrefix();
    await using worker = await Worker.there({ url: server.url, prefix });
    await worker.shared.confirm(pin);
    await server.admin.pexpire(`${prefix}:stick:emqx:device`, 1000);
    await worker.shared.renew([pin]);
    expect(await server.admin.pttl(`${prefix}:stick:emqx:device`)).toBeGreaterThan(times.expireMs);
  });

  it('an entry that was written by hand is obeyed, and kept for as long as it was meant', async () => {
    const prefix = newPrefix();
    await using worker = await Worker.there({ url: server.url, prefix });
    await server.admin.set(`${prefix}:stick:emqx:device`, 'emqx2');
    const usable = ['emqx1', 'emqx2'];
    const answer = await worker.table.claim({ key: 'device', usable, candidate: 'emqx1', by: ann });
    expect(answer).toMatchObject({ kind: 'held', server: 'emqx2' });
    expect(await worker.table.get('device')).toMatchObject({ server: 'emqx2', state: 'cooling', ttlMs: null });
    expect(await worker.table.renew([pin])).toEqual(['device']);
  });

  it('names its connection', async () => {
    await using worker = await Worker.there({ url: server.url });
    expect(worker.heard).toEqual([]);
    expect(await server.admin.client('LIST')).toContain('name=limpet-test');
  });

  it('uses the database of the URL', async () => {
    const prefix = newPrefix();
    await using worker = await Worker.there({ url: `${server.url}?db=3`, prefix });
    await worker.table.confirm(pin);
    expect(await server.admin.exists(`${prefix}:stick:emqx:device`)).toBe(0);
    await server.admin.select(3);
    expect(await server.admin.exists(`${prefix}:stick:emqx:device`)).toBe(1);
    await server.admin.select(0);
  });

  it('survives SCRIPT FLUSH, alone and in a batch', async () => {
    await using worker = await Worker.there({ url: server.url });
    const pins = Array.from({ length: 300 }, (_, i) => ({ ...pin, key: `device-${i}` }));
    for (let i = 0; i < 2; i++) {
      await worker.table.confirm({ ...pin, server: `emqx${i}` });
      expect(await worker.table.get('device')).toMatchObject({ server: `emqx${i}` });
      expect(await worker.table.renew(pins)).toEqual([]);
      await server.admin.script('FLUSH');
      expect(await worker.table.renew(pins)).toEqual([]);
      await server.admin.script('FLUSH');
    }
    expect(worker.heard).toEqual([]);
  });
});

describe('adopt', () => {
  const ben = { owner: 'lb2/1', epoch: 40 };
  const older = { ...ann, epoch: ann.epoch - 1 };
  const adoption = { ...pin, state: 'pinned', ttlMs: 0, known: [ann] } as const;

  it.each([
    ['nothing there', null, adoption, 'written', 'emqx1|lb1/1|7|o'],
    ['its own older entry', `emqx2|lb1/1|6|o`, adoption, 'written', 'emqx1|lb1/1|7|o'],
    ['what it saw last', 'emqx2|lb2/1|40|o', { ...adoption, known: [ann, ben] }, 'written', 'emqx1|lb1/1|7|o'],
    [
      'older than what it saw last',
      'emqx2|lb2/1|39|c',
      { ...adoption, known: [ann, ben] },
      'written',
      'emqx1|lb1/1|7|o',
    ],
    ['newer than what it saw last', 'emqx2|lb2/1|41|o', { ...adoption, known: [ann, ben] }, 'kept', 'emqx2|lb2/1|41|o'],
    ["a stranger's claim", 'emqx2|lb2/1|40|p', adoption, 'kept', 'emqx2|lb2/1|40|p'],
    ['one of a newer session of its own', 'emqx2|lb1/1|8|o', adoption, 'kept', 'emqx2|lb1/1|8|o'],
    ['a hand-written server', 'emqx2', adoption, 'kept', 'emqx2'],
    ["a stranger's live session on the server", 'emqx1|lb2/1|40|o', adoption, 'written', 'emqx1|lb2/1|40|o'],
    ["a stranger's cooling entry of the server", 'emqx1|lb2/1|40|c', adoption, 'written', 'emqx1|lb1/1|7|o'],
    [
      'a live session, which a departure must not cool',
      'emqx1|lb2/1|40|o',
      { ...adoption, state: 'cooling', ttlMs: 5000 },
      'written',
      'emqx1|lb2/1|40|o',
    ],
    [
      'its own live session, which has ended',
      'emqx1|lb1/1|7|o',
      { ...adoption, state: 'cooling', ttlMs: 5000, known: [older, ann] },
      'written',
      'emqx1|lb1/1|7|c',
    ],
  ] as const)('over %s', async (_, before, what, result, after) => {
    const prefix = newPrefix();
    await using worker = await Worker.there({ url: server.url, prefix });
    const key = `${prefix}:stick:emqx:device`;
    if (before !== null) await server.admin.set(key, before, 'PX', 3000);
    expect(await worker.shared.adopt([what])).toEqual([result]);
    expect(await server.admin.get(key)).toBe(after);
    const ttlMs = await server.admin.pttl(key);
    expect(ttlMs).toBeLessThanOrEqual(what.state === 'pinned' ? pinnedMs(times.expireMs) : 5000);
    if (result === 'written') expect(ttlMs).toBeGreaterThan(what.state === 'pinned' ? times.expireMs : 4000);
    else expect(ttlMs).toBeLessThanOrEqual(3000);
  });

  it('does the others of a batch where one key is of another type', async () => {
    const prefix = newPrefix();
    await using worker = await Worker.there({ url: server.url, prefix });
    await server.admin.lpush(`${prefix}:stick:emqx:list`, 'x');
    const results = await worker.shared.adopt([adoption, { ...adoption, key: 'list' }, { ...adoption, key: 'last' }]);
    expect(results).toEqual(['written', 'failed', 'written']);
  });
});

it('an entry costs 200 bytes of Redis at most, with ids of 24 characters and its time to live', async () => {
  await using own = await RedisServer.start();
  await using worker = await Worker.there({ url: own.url, prefix: 'limpet', timeoutMs: 5000 });
  const usedBytes = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await own.admin.info('memory'))?.[1]);
  const entries = 100_000;
  const before = await usedBytes();
  for (let i = 0; i < entries; i += 1000) {
    const pins = Array.from({ length: 1000 }, (_, j) => ({
      key: `device-${String(i + j).padStart(17, '0')}`,
      server: 'emqx1',
      by: { owner: 'lb1/2', epoch: 1_733_000_000_000 + i + j },
    }));
    await worker.shared.renew(pins);
  }
  expect(await own.admin.dbsize()).toBe(entries);
  await vi.waitFor(async () => expect((await usedBytes()) - before).toBeLessThanOrEqual(entries * 200), 10_000);
  console.log(`Redis: ${(((await usedBytes()) - before) / entries).toFixed(1)} bytes an entry`);
});

it('what is sent in one turn of the event loop goes in one write, and in its order', async () => {
  await using worker = await Worker.there({ url: server.url });
  const { stream } = worker.connection.client;
  const [one, many] = [vi.spyOn(stream, '_write'), vi.spyOn(stream, '_writev')];
  const by = { owner: 'lb1/1', epoch: 1 };
  for (let i = 0; i < 2; i++) {
    const keys = Array.from({ length: 20 }, (_, key) => `k${i}-${key}`);
    const claims = keys.map(key => worker.shared.claim({ key, usable: ['a'], candidate: 'a', by }));
    const confirms = keys.map(key => worker.shared.confirm({ key, server: 'a', by }));
    expect([one, many].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    const kinds = (await Promise.all(claims)).map(({ kind }) => kind);
    await Promise.all(confirms);
    expect([one, many].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    expect(kinds).toEqual(keys.map(() => 'claimed'));
    expect(await worker.shared.get(keys[0] ?? '')).toMatchObject({ state: 'pinned' });
    many.mockClear();
  }
});
