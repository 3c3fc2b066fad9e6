import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StickTimes } from '../../src/contract.ts';
import { connectRedis, type RedisConnection } from '../../src/redis.ts';
import { escapeGlob, redisOperatorTable } from '../../src/redis_operator.ts';
import { redisTable } from '../../src/redis_table.ts';
import { newPrefix } from '../opened.ts';
import { type OpenedOperatorTable, operatorTableConformance, walk } from '../operator_conformance.ts';
import { RedisServer } from '../redis_server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function connect(prefix: string): Promise<RedisConnection> {
  const connection = connectRedis({
    target: { kind: 'server', url: server.url },
    prefix,
    timeoutMs: 2000,
    name: 'limpet test',
  });
  expect(await connection.circuit.firstContact).toBe(true);
  return connection;
}

async function open(times: StickTimes, prefix = newPrefix(), backend = 'emqx'): Promise<OpenedOperatorTable> {
  const connection = await connect(prefix);
  return {
    table: redisTable(connection, backend, times),
    operator: redisOperatorTable(connection, backend, times),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

operatorTableConformance('redis', open);

const times: StickTimes = { pendingMs: 20_000, expireMs: 60_000 };

describe('in Redis', () => {
  it('a prefix and a backend are texts, not patterns', async () => {
    await using hers = await open(times, 'a?c[x]', 'e*');
    await using other = await open(times, 'abcx', 'emqx');
    for (const { table } of [hers, other]) await table.confirm({ key: 'k', server: 'a', by: { owner: 'o', epoch: 1 } });
    const entries = await walk(hers.operator);
    expect(entries.map(({ key }) => key)).toEqual(['k']);
    expect(await hers.operator.count()).toBe(1);
    expect(escapeGlob('a*b?[c]\\^')).toBe('a\\*b\\?\\[c\\]\\\\\\^');
  });

  it('shows what was written by hand, and passes over what is no entry', async () => {
    const prefix = newPrefix();
    await using opened = await open(times, prefix);
    await server.admin.set(`${prefix}:stick:emqx:by-hand`, 'emqx2');
    await server.admin.hset(`${prefix}:stick:emqx:hash`, 'a', 'b');
    const entries = await walk(opened.operator);
    expect(entries).toEqual([{ key: 'by-hand', server: 'emqx2', owner: '', epoch: 0, state: 'cooling', ttlMs: null }]);
  });

  it('writes entries that redis-cli shows as those of clients that have left', async () => {
    const prefix = newPrefix();
    await using opened = await open(times, prefix);
    await opened.operator.set('k', 'emqx1');
    expect(await server.admin.get(`${prefix}:stick:emqx:k`)).toBe('emqx1||0|c');
  });

  it('other times hold for what is written from now on', async () => {
    const connection = await connect(newPrefix());
    const table = redisTable(connection, 'emqx', times);
    const pin = { key: 'k', server: 'a', by: { owner: 'o', epoch: 1 } };
    await table.confirm(pin);
    table.reconfigure({ pendingMs: 1000, expireMs: 5000 });
    expect(table.times.expireMs).toBe(5000);
    expect(await connection.client.pttl(`${connection.prefix}:stick:emqx:k`)).toBeGreaterThan(50_000);
    await table.renew([pin]);
    expect(await connection.client.pttl(`${connection.prefix}:stick:emqx:k`)).toBeLessThanOrEqual(7500);
    await table.release(pin);
    expect((await table.get('k'))?.ttlMs).toBeLessThanOrEqual(5000);
    await connection.close();
  });
});
