/** A cluster grows while it is in use: slots wander, one after the other, to a server that had none. */
import { expect, it, vi } from 'vitest';
import { Worker } from '../opened.ts';
import { RedisCluster } from '../redis_cluster.ts';
import type { RedisProcess } from '../redis_process.ts';

const keys = Array.from({ length: 12 }, (_, i) => `device-${i}`);
const stickKey = (key: string): string => `limpet:stick:emqx:${key}`;
const requestOf = (key: string) => ({ key, usable: ['a', 'b'], candidate: null, by: { owner: 'lb1/1', epoch: 2 } });
const pinOf = (key: string, epoch: number) => ({ key, server: 'a', by: { owner: 'lb1/1', epoch } });

/** As `redis-cli --cluster reshard` does it. `meanwhile`: when the slot is empty here, and not yet given away. */
async function moveSlot(
  from: RedisProcess,
  to: RedisProcess,
  slot: number,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const [source, target] = await Promise.all([from.admin.cluster('MYID'), to.admin.cluster('MYID')]);
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
  for (const key of await from.admin.cluster('GETKEYSINSLOT', slot, 100)) {
    await from.admin.migrate('127.0.0.1', to.port, key, 0, 5000);
  }
  await meanwhile();
  for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', target);
}

it('P4: all keys are served by Redis, and nobody is told of an absence', async () => {
  await using cluster = await RedisCluster.start({ nodeTimeoutMs: 10_000 });
  await using worker = await Worker.there({ target: cluster.target, prefix: 'limpet' });
  for (const key of keys) await worker.table.confirm(pinOf(key, 1));
  const added = await cluster.grow();
  const look = async (key: string): Promise<void> => {
    expect(await worker.table.claim(requestOf(key))).toEqual({ kind: 'held', server: 'a', degraded: false });
  };
  const seen = new Set<number>();
  for (const key of keys) {
    const slot = Number(await added.admin.cluster('KEYSLOT', stickKey(key)));
    if (seen.has(slot)) continue;
    seen.add(slot);
    const from = await cluster.masterOf(slot);
    await moveSlot(from, added, slot, async () => {
      // The first time there is no connection to it yet.
      await vi.waitFor(() => look(key));
      await look(key);
    });
    await look(key);
  }
  expect(worker.heard).toEqual([]);
});

it('P4: the server that keys wander to takes no writes: the one that has them still is asked as before', async () => {
  await using cluster = await RedisCluster.start({ nodeTimeoutMs: 10_000 });
  await using worker = await Worker.there({ target: cluster.target, prefix: 'limpet' });
  const [from, to] = await cluster.masters();
  if (from === undefined || to === undefined) throw new Error('a cluster has masters');
  const owners = await Promise.all(keys.map(key => cluster.masterOfKey(stickKey(key))));
  const [wandering = '', staying = ''] = keys.filter((_, i) => owners[i] === from);
  for (const key of [wandering, staying]) await worker.table.confirm(pinOf(key, 1));
  const slot = Number(await from.admin.cluster('KEYSLOT', stickKey(wandering)));
  await moveSlot(from, to, slot, async () => {
    await to.admin.config('SET', 'min-replicas-to-write', '5');
    for (let epoch = 2; epoch < 7; epoch++) {
      await worker.table.confirm(pinOf(wandering, epoch));
      expect(await worker.table.claim(requestOf(staying))).toEqual({ kind: 'held', server: 'a', degraded: false });
    }
    expect(worker.table.unwritten.waiting).toBe(1);
    await to.admin.config('SET', 'min-replicas-to-write', '0');
  });
  await vi.waitFor(() => expect(worker.table.unwritten.waiting).toBe(0), 10_000);
  expect(await to.admin.get(stickKey(wandering))).toBe('a|lb1/1|6|o');
  await vi.waitFor(() => expect(worker.heard.at(-1)).toBe('back'), 10_000);
  expect(worker.heard).toEqual([expect.stringContaining(`away: Redis ${to.place} answers`), 'back']);
});
