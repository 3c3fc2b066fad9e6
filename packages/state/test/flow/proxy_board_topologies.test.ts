import { expect, it, vi } from 'vitest';
import { OpenedBoard } from '../opened_board.ts';
import { RedisCluster } from '../redis_cluster.ts';
import { RedisSentinels } from '../redis_sentinel.ts';

const patience = { timeout: 20_000, interval: 20 };

/** Both know all of each other. */
async function know(one: OpenedBoard, two: OpenedBoard): Promise<void> {
  await vi.waitFor(() => {
    expect(one.one).toMatchObject({ name: 'lb2', isAlive: true, conns: two.conns, health: two.health });
    expect(two.one).toMatchObject({ name: 'lb1', isAlive: true, conns: one.conns, health: one.health });
  }, patience);
}

/** The names are in the server that has their key now. */
async function isTold(redis: RedisCluster | RedisSentinels, key: string): Promise<boolean> {
  const server = redis instanceof RedisCluster ? await redis.masterOfKey(key) : await redis.master();
  return (await server.admin.hlen(key)) === 2;
}

it.each([
  ['a cluster', () => RedisCluster.start()],
  ['the master of sentinels', () => RedisSentinels.start()],
])(
  'on %s two proxies know of each other, and again when the server that had their names is dead',
  async (_, start) => {
    await using redis = await start();
    await using one = new OpenedBoard('lb1', { target: redis.target });
    await using two = new OpenedBoard('lb2', { target: redis.target, prefix: one.prefix });
    await know(one, two);
    const holder =
      redis instanceof RedisCluster ? await redis.masterOfKey(`${one.prefix}:proxies`) : await redis.master();
    await holder.kill();
    // A failover may be over before anybody is silent.
    one.conns.set('emqx/emqx1', 7);
    await know(one, two);
    await vi.waitFor(async () => expect(await isTold(redis, `${one.prefix}:proxies`)).toBe(true), patience);
    expect([one.twins, two.twins]).toEqual([0, 0]);
  },
  60_000,
);

it('where the server with their names is away the others are not known, though the rest of the cluster is there', async () => {
  await using cluster = await RedisCluster.start({ nodeTimeoutMs: 30_000 });
  await using one = new OpenedBoard('lb1', { target: cluster.target });
  await using two = new OpenedBoard('lb2', { target: cluster.target, prefix: one.prefix });
  await know(one, two);
  expect(one.board.isInformed).toBe(true);
  await two.board.close();
  await vi.waitFor(() => expect(one.board.others()).toEqual([]), patience);
  expect(one.board.isInformed).toBe(true);
  const holder = await cluster.masterOfKey(`${one.prefix}:proxies`);
  await holder.kill();
  await vi.waitFor(() => expect(one.board.isInformed).toBe(false), patience);
  expect(one.connection.circuit.isClosed).toBe(true);
}, 60_000);
