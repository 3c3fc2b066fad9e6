/** All that holds for one Redis holds through sentinels, and in a cluster: the same suites, on real ones. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { redisAdminStore } from '../../src/admin_redis.ts';
import type { StickTimes } from '../../src/contract.ts';
import { connectRedis, type RedisConnection } from '../../src/redis.ts';
import { redisOperatorTable } from '../../src/redis_operator.ts';
import { redisTable } from '../../src/redis_table.ts';
import type { RedisTarget } from '../../src/redis_target.ts';
import { adminStoreConformance } from '../admin_conformance.ts';
import { stickTableConformance } from '../conformance.ts';
import { newPrefix, times, Worker } from '../opened.ts';
import { operatorTableConformance, walk } from '../operator_conformance.ts';
import { RedisCluster } from '../redis_cluster.ts';
import { RedisSentinels } from '../redis_sentinel.ts';

interface Topology extends AsyncDisposable {
  readonly target: RedisTarget;
}

const topologies: readonly (readonly [name: string, start: () => Promise<Topology>])[] = [
  ['cluster', () => RedisCluster.start()],
  ['sentinel', () => RedisSentinels.start()],
];

describe.each(topologies)('%s', (name, start) => {
  let running: Topology;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
  });

  const connect = async (): Promise<RedisConnection> => {
    const options = { prefix: newPrefix(), timeoutMs: 2000, name: 'conformance' };
    const connection = connectRedis({ target: running.target, ...options });
    expect(await connection.circuit.firstContact).toBe(true);
    return connection;
  };

  stickTableConformance(name, async its => {
    const connection = await connect();
    return { table: redisTable(connection, 'emqx', its), [Symbol.asyncDispose]: () => connection.close() };
  });

  stickTableConformance(`guard over ${name}`, async its => {
    const worker = await Worker.there({ target: running.target, times: its, timeoutMs: 2000 });
    return { table: worker.table, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
  });

  adminStoreConformance(name, async backends => {
    const connection = await connect();
    const store = redisAdminStore(connection, backends, { pollMs: 20 });
    await store.loaded();
    const close = async (): Promise<void> => {
      await store.close();
      await connection.close();
    };
    return { store, [Symbol.asyncDispose]: close };
  });

  const open = async (its: StickTimes) => {
    const connection = await connect();
    const table = redisTable(connection, 'emqx', its);
    const operator = redisOperatorTable(connection, 'emqx', its);
    return { table, operator, [Symbol.asyncDispose]: () => connection.close() };
  };
  operatorTableConformance(name, open);

  it('a command of many keys is done on all servers, and counted', async () => {
    await using opened = await open(times);
    const keys = Array.from({ length: 1000 }, (_, i) => `device-${i}`);
    const results = await opened.operator.put(keys.map(key => ({ key, server: 'a', ttlMs: null })));
    expect(new Set(results)).toEqual(new Set(['written']));
    expect(await opened.operator.count()).toBe(1000);
    expect((await walk(opened.operator)).map(({ key }) => key)).toEqual(keys.toSorted());
    expect(await opened.operator.remove(keys)).toBe(1000);
    expect(await opened.operator.count()).toBe(0);
  });

  it('scripts that were flushed are loaded again', async () => {
    await using worker = await Worker.there({ target: running.target });
    const pins = Array.from({ length: 300 }, (_, i) => {
      return { key: `device-${i}`, server: 'a', by: { owner: 'lb1/1', epoch: i } };
    });
    expect(await worker.table.renew(pins)).toEqual([]);
    const servers = (running as Topology & { readonly servers: readonly { admin: RedisConnection['client'] }[] })
      .servers;
    await Promise.all(servers.map(({ admin }) => admin.script('FLUSH')));
    await worker.table.confirm({ key: 'device-0', server: 'b', by: { owner: 'lb1/1', epoch: 400 } });
    expect(await worker.table.renew(pins)).toEqual(['device-0']);
    await vi.waitFor(() => expect(worker.heard).toEqual([]));
  });
});
