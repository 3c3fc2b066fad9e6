import { connectRedis, type RedisConnection } from '@limpet/state';
import { describe, expect, test } from 'vitest';
import { SharedRing } from '../../../src/tls/shared_ring.ts';
import { issuingKey, type TicketKey, writeRing } from '../../../src/tls/ticket_ring.ts';
import { until } from '../../kit/condition.ts';
import { type RedisServer, startRedis } from '../../kit/redis.ts';
import { keptLog, type Said } from './tls_server.ts';

const HOUR_MS = 3_600_000;
const SECRET = 'correct horse battery staple';
const KEY = 'test:tls:tickets';

interface Proxy extends AsyncDisposable {
  readonly ring: SharedRing;
  readonly connection: RedisConnection;
  /** Every ring it was told, oldest first. */
  readonly told: readonly (readonly TicketKey[])[];
  readonly said: readonly Said[];
}

async function startProxy(redis: RedisServer, secret = SECRET, rotateMs = HOUR_MS): Promise<Proxy> {
  const connection = connectRedis({
    target: { kind: 'server', url: redis.url },
    prefix: 'test',
    timeoutMs: 100,
    name: 'test',
  });
  const told: (readonly TicketKey[])[] = [];
  const { log, said } = keptLog();
  const ring = await SharedRing.start({ connection, secret, rotateMs, log, tell: keys => told.push(keys) });
  return {
    ring,
    connection,
    told,
    said,
    async [Symbol.asyncDispose]() {
      ring.close();
      await connection.close();
    },
  };
}

const nameOf = (key: TicketKey | undefined): string => key?.name.toString('hex') ?? '';
const issues = ({ ring }: Proxy): string => nameOf(issuingKey(ring.keys, Date.now()));
const opens = ({ ring }: Proxy, name: string): boolean => ring.keys.some(key => nameOf(key) === name);

describe('two proxies at one Redis', () => {
  test('have one ring, and so has one that was restarted', async () => {
    await using redis = await startRedis();
    await using one = await startProxy(redis);
    await using other = await startProxy(redis);
    expect([one.ring.isShared, other.ring.isShared]).toEqual([true, true]);
    expect(issues(one)).toBe(issues(other));
    const name = issues(one);
    await one[Symbol.asyncDispose]();
    await using again = await startProxy(redis);
    expect(issues(again)).toBe(name);
    expect(again.told.at(-1)?.map(nameOf)).toContain(name);
  });

  test('that start at the same time agree', async () => {
    await using redis = await startRedis();
    const proxies = await Promise.all(Array.from({ length: 6 }, () => startProxy(redis)));
    const names = new Set(proxies.map(issues));
    expect(names.size).toBe(1);
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  });

  test('rotate one key at a time, and everybody opens a key before anybody issues with it', async () => {
    await using redis = await startRedis();
    const rotateMs = 2000;
    await using one = await startProxy(redis, SECRET, rotateMs);
    await using other = await startProxy(redis, SECRET, rotateMs);
    const seen = new Set<string>();
    await until(
      () => {
        for (const [issuer, reader] of [
          [one, other],
          [other, one],
        ] as const) {
          const name = issues(issuer);
          seen.add(name);
          if (!opens(reader, name)) throw new Error(`a ticket of ${name} is met before its key`);
        }
        return seen.size >= 4;
      },
      { what: 'three rotations', timeoutMs: 20_000 },
    );
    expect(one.ring.keys.length).toBeLessThanOrEqual(5);
  });

  test('P11: nothing of a key can be read in Redis, and the key goes away when nobody keeps it', async () => {
    await using redis = await startRedis();
    await using one = await startProxy(redis);
    const text = await redis.cli(['GET', KEY]);
    expect(text).toMatch(/^v1\.[\w-]{22}\.[\w-]+$/);
    const raw = Buffer.from(text.split('.')[2] ?? '', 'base64url');
    for (const key of one.ring.keys) {
      const written = JSON.stringify(writeRing([key]));
      for (const part of [key.name, key.hmac, key.aes]) {
        expect(raw.includes(part)).toBe(false);
        expect(written.includes(part.toString('base64'))).toBe(true);
        expect(text.includes(part.toString('base64url'))).toBe(false);
      }
    }
    const leftMs = Number(await redis.cli(['PTTL', KEY]));
    expect(leftMs).toBeGreaterThan(3_500_000);
    expect(leftMs).toBeLessThanOrEqual(HOUR_MS);
  });
});

describe('what goes wrong', () => {
  test('another secret: it is said once, nothing is overwritten, and the keys in hand are used', async () => {
    await using redis = await startRedis();
    await using one = await startProxy(redis);
    await using stranger = await startProxy(redis, 'something else entirely');
    const before = await redis.cli(['GET', KEY]);
    await stranger.ring.refresh();
    await stranger.ring.refresh();
    expect(stranger.ring.isShared).toBe(false);
    expect(issues(stranger)).not.toBe(issues(one));
    expect(stranger.said).toHaveLength(1);
    expect(stranger.said[0]?.message).toContain('another ticket_secret');
    expect(stranger.said[0]?.message).not.toContain('something else');
    expect(await redis.cli(['GET', KEY])).toBe(before);
    // As the line says: DEL lets it begin anew.
    await redis.cli(['DEL', KEY]);
    await stranger.ring.refresh();
    expect(stranger.ring.isShared).toBe(true);
  });

  test('something else at the key', async () => {
    await using redis = await startRedis();
    await redis.cli(['SET', KEY, 'v9.future']);
    await using one = await startProxy(redis);
    expect([one.ring.isShared, one.ring.keys.length]).toEqual([false, 1]);
    expect(one.said[0]?.message).toContain('nothing this version of Limpet can read');
    expect(await redis.cli(['GET', KEY])).toBe('v9.future');
  });

  test('P4: Redis away at the start: keys of its own, which are shared later, or still open what they made', async () => {
    await using redis = await startRedis();
    await redis.kill9();
    await using one = await startProxy(redis);
    await using other = await startProxy(redis);
    const [first, second] = [issues(one), issues(other)];
    expect([one.ring.isShared, first === second]).toEqual([false, false]);
    await redis.restart();
    await until(() => one.ring.isShared && other.ring.isShared, { what: 'the ring', timeoutMs: 15_000 });
    expect(issues(one)).toBe(issues(other));
    expect([first, second]).toContain(issues(one));
    expect([opens(one, first), opens(other, second)]).toEqual([true, true]);
  });

  test('P4: Redis frozen, or empty when it is back: the ring in hand stays', async () => {
    await using redis = await startRedis();
    await using one = await startProxy(redis);
    const name = issues(one);
    redis.freeze();
    await one.ring.refresh();
    expect(issues(one)).toBe(name);
    redis.thaw();
    await redis.restart();
    await until(async () => (await redis.cli(['EXISTS', KEY])) === '1', {
      what: 'the ring in the new Redis',
      timeoutMs: 15_000,
    });
    await using other = await startProxy(redis);
    expect([issues(one), issues(other)]).toEqual([name, name]);
  });
});
