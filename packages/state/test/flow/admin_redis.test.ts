import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AdminStore } from '../../src/admin.ts';
import { redisAdminStore } from '../../src/admin_redis.ts';
import { connectRedis } from '../../src/redis.ts';
import { adminStoreConformance } from '../admin_conformance.ts';
import { newPrefix } from '../opened.ts';
import { RedisServer } from '../redis_server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const pollMs = 20;

/** One proxy's store, and what it was told of. */
class Opened implements AsyncDisposable {
  readonly prefix: string;
  readonly store: AdminStore;
  readonly heard: string[] = [];
  readonly unknown: string[] = [];
  readonly #connection;

  constructor(prefix: string = newPrefix(), url: string = server.url, backends: readonly string[] = ['emqx', 'nats']) {
    this.prefix = prefix;
    this.#connection = connectRedis({ target: { kind: 'server', url }, prefix, timeoutMs: 500, name: 'admin' });
    const onUnknown = (...words: string[]): unknown => this.unknown.push(words.join(': '));
    this.store = redisAdminStore(this.#connection, backends, { pollMs, onUnknown });
    this.store.onChange(backend => this.heard.push(backend));
  }

  get isAsked(): boolean {
    return this.#connection.circuit.isClosed;
  }

  /** `emqx1 drain` …, sorted. */
  words(backend = 'emqx'): string[] {
    const records = [...this.store.records(backend)];
    return records.map(([name, { state, weight }]) => `${name} ${state}${weight === null ? '' : ` ${weight}`}`).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.#connection.close();
  }
}

adminStoreConformance('redis', async backends => {
  const opened = new Opened(newPrefix(), server.url, backends);
  await opened.store.loaded();
  return opened;
});
adminStoreConformance(
  'redis away',
  async backends => new Opened(newPrefix(), 'unix:///nonexistent/redis.sock', backends),
);

describe('in Redis', () => {
  it('is a hash that redis-cli shows, and that redis-cli writes', async () => {
    await using one = new Opened();
    await one.store.loaded();
    await one.store.set('emqx', 'emqx1', { state: 'drain', weight: null });
    await one.store.set('emqx', 'emqx2', { state: 'ready', weight: 5 });
    const key = `${one.prefix}:admin:emqx`;
    expect(await server.admin.hgetall(key)).toEqual({ emqx1: 'drain', emqx2: 'ready weight=5' });
    await server.admin.hset(key, 'emqx3', 'MAINT', 'emqx1', 'ready');
    await vi.waitFor(() => expect(one.words()).toEqual(['emqx2 ready 5', 'emqx3 maint']));
    await server.admin.del(key);
    await vi.waitFor(() => expect(one.words()).toEqual([]));
    expect(new Set(one.heard)).toEqual(new Set(['emqx']));
  });

  it('is known to the other proxy, and to the next one before it serves', async () => {
    await using one = new Opened();
    await using other = new Opened(one.prefix);
    await Promise.all([one.store.loaded(), other.store.loaded()]);
    await one.store.set('emqx', 'emqx1', { state: 'drain', weight: null });
    await vi.waitFor(() => expect(other.words()).toEqual(['emqx1 drain']));
    await other.store.set('emqx', 'emqx1', { state: 'ready', weight: null });
    await vi.waitFor(() => expect(one.words()).toEqual([]));
    await one.store.set('nats', 'n1', { state: 'maint', weight: null });
    await using restarted = new Opened(one.prefix);
    await restarted.store.loaded();
    expect(restarted.words('nats')).toEqual(['n1 maint']);
  });

  it('tells once of words that mean nothing, and obeys the others', async () => {
    await using one = new Opened();
    await one.store.loaded();
    const key = `${one.prefix}:admin:emqx`;
    await server.admin.hset(key, 'emqx1', 'drain soon', 'emqx2', 'drian');
    await server.admin.set(`${one.prefix}:admin:nats`, 'no hash');
    await vi.waitFor(() => expect(one.unknown).toHaveLength(3));
    expect(one.words()).toEqual(['emqx1 drain']);
    await server.admin.hset(key, 'emqx3', 'maint');
    await vi.waitFor(() => expect(one.words()).toEqual(['emqx1 drain', 'emqx3 maint']));
    expect(one.unknown.slice(0, 2)).toEqual(['emqx: emqx1: soon', 'emqx: emqx2: drian']);
    expect(one.unknown[2]).toContain('WRONGTYPE');
    expect(one.unknown).toHaveLength(3);
  });

  it('while it is away the last known state holds, and what was said is written when it is back', async () => {
    await using redis = await RedisServer.start();
    await using one = new Opened('limpet', redis.url);
    await one.store.loaded();
    await one.store.set('emqx', 'emqx1', { state: 'drain', weight: null });
    await redis.kill();
    await vi.waitFor(() => expect(one.isAsked).toBe(false));
    const startedMs = performance.now();
    await one.store.set('emqx', 'emqx2', { state: 'maint', weight: 3 });
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(one.words()).toEqual(['emqx1 drain', 'emqx2 maint 3']);
    await redis.start();
    await redis.admin.hset('limpet:admin:emqx', 'emqx1', 'ready weight=9');
    await vi.waitFor(() => expect(one.words()).toEqual(['emqx1 ready 9', 'emqx2 maint 3']), 10_000);
    expect(await redis.admin.hgetall('limpet:admin:emqx')).toEqual({
      emqx1: 'ready weight=9',
      emqx2: 'maint weight=3',
    });
  });

  it('a process that ends before Redis is back hands on what it could not write', async () => {
    await using redis = await RedisServer.start();
    await using before = new Opened('limpet', redis.url);
    await before.store.loaded();
    await redis.kill();
    await vi.waitFor(() => expect(before.isAsked).toBe(false));
    await before.store.set('emqx', 'emqx1', { state: 'maint', weight: null });
    await using heir = new Opened('limpet', redis.url);
    const words = before.store.unwritten();
    expect(words).toEqual([{ backend: 'emqx', server: 'emqx1', record: { state: 'maint', weight: null } }]);
    for (const { backend, server: name, record } of words) void heir.store.set(backend, name, record);
    await heir.store.loaded();
    before.store.leaveUnwritten();
    expect(before.store.unwritten()).toEqual([]);
    expect([...before.words(), ...heir.words()]).toEqual(['emqx1 maint', 'emqx1 maint']);
    await before.store.close();
    await redis.start();
    await vi.waitFor(async () => expect(await redis.admin.hgetall('limpet:admin:emqx')).toEqual({ emqx1: 'maint' }), {
      timeout: 10_000,
    });
    await vi.waitFor(() => expect(heir.store.unwritten()).toEqual([]));
  });

  it('of a backend that is about to come it is known at once what others have said', async () => {
    await using one = new Opened();
    await one.store.loaded();
    await server.admin.hset(`${one.prefix}:admin:late`, 'l1', 'maint');
    await one.store.learn(['emqx', 'late']);
    expect(one.words('late')).toEqual(['l1 maint']);
    one.store.setBackends(['emqx', 'late']);
    expect(one.words('late')).toEqual(['l1 maint']);
  });

  it('nobody waits for what is said of a backend while Redis is away', async () => {
    await using one = new Opened(newPrefix(), 'unix:///nonexistent/redis.sock');
    await one.store.loaded();
    await one.store.learn(['late']);
    expect(one.words('late')).toEqual([]);
  });

  it('what the process before knew holds while Redis is away, is not written, and makes room for what Redis says', async () => {
    await using redis = await RedisServer.start();
    await using before = new Opened('limpet', redis.url);
    await before.store.loaded();
    await redis.kill();
    await using heir = new Opened('limpet', redis.url);
    await heir.store.loaded();
    heir.store.assume('emqx', 'emqx1', { state: 'maint', weight: null });
    heir.store.assume('emqx', 'emqx2', { state: 'drain', weight: null });
    expect(heir.words()).toEqual(['emqx1 maint', 'emqx2 drain']);
    await redis.start();
    await redis.admin.hset('limpet:admin:emqx', 'emqx1', 'drain');
    await vi.waitFor(() => expect(heir.words()).toEqual(['emqx1 drain']), 10_000);
    heir.store.assume('emqx', 'emqx1', { state: 'maint', weight: null });
    expect(heir.words()).toEqual(['emqx1 drain']);
    expect(await redis.admin.hgetall('limpet:admin:emqx')).toEqual({ emqx1: 'drain' });
  });

  it('a frozen Redis holds up no word for longer than its deadline', async () => {
    await using redis = await RedisServer.start();
    await using one = new Opened('limpet', redis.url);
    await one.store.loaded();
    redis.freeze();
    const startedMs = performance.now();
    await one.store.set('emqx', 'emqx2', { state: 'maint', weight: null });
    expect(performance.now() - startedMs).toBeLessThan(6000);
    expect(one.words()).toEqual(['emqx2 maint']);
    redis.thaw();
    await vi.waitFor(async () => expect(await redis.admin.hget('limpet:admin:emqx', 'emqx2')).toBe('maint'), 10_000);
  });
});
