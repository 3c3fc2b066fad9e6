/** Servers of a cluster, and the master of sentinels, go away and change places: nobody is refused, everybody goes home. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ClaimAnswer } from '../../src/contract.ts';
import { Worker } from '../opened.ts';
import { RedisCluster } from '../redis_cluster.ts';
import type { RedisProcess } from '../redis_process.ts';
import { RedisSentinels } from '../redis_sentinel.ts';

const usable = ['a', 'b', 'c'];
const stickKey = (key: string): string => `limpet:stick:emqx:${key}`;
const keys = Array.from({ length: 60 }, (_, i) => `device-${i}`);
const pinOf = (key: string, server: string, epoch = 1) => ({ key, server, by: { owner: 'lb1/1', epoch } });

const look = (worker: Worker, key: string): Promise<ClaimAnswer> =>
  worker.table.claim({ key, usable, candidate: null, by: { owner: 'lb1/1', epoch: 2 } });

/** Servers vote within a second or two; a vote that fails is repeated after four, and it may fail more than once. */
const VOTES_MS = 40_000;
vi.setConfig({ testTimeout: 2 * VOTES_MS });

async function until(worker: Worker, last: RegExp): Promise<void> {
  await vi.waitFor(() => expect(worker.heard.at(-1)).toMatch(last), VOTES_MS);
}

/** Which of the keys are answered without Redis. */
async function degraded(worker: Worker): Promise<readonly string[]> {
  const answers = await Promise.all(keys.map(key => look(worker, key)));
  expect(answers.map(answer => ('server' in answer ? answer.server : answer.kind))).toEqual(keys.map(() => 'a'));
  return keys.filter((_, i) => answers[i]?.degraded);
}

/** The keys on each server, as the test itself asks. */
async function keysOf(cluster: RedisCluster, server: RedisProcess): Promise<readonly string[]> {
  const owners = await Promise.all(keys.map(key => cluster.masterOfKey(stickKey(key))));
  return keys.filter((_, i) => owners[i] === server);
}

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
function using<T extends AsyncDisposable>(opened: T): T {
  open.push(opened);
  return opened;
}

describe('P4: a cluster', () => {
  it('a master is killed: its keys are answered here until its replica serves them, all others by Redis', async () => {
    const cluster = using(await RedisCluster.start());
    const worker = using(await Worker.there({ target: cluster.target, prefix: 'limpet', timeoutMs: 100 }));
    for (const key of keys) await worker.table.confirm(pinOf(key, 'a'));
    expect(await degraded(worker)).toEqual([]);
    const killed = await cluster.masterOfKey(stickKey('device-0'));
    const lost = await keysOf(cluster, killed);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.length).toBeLessThan(keys.length);

    await killed.kill();
    await until(worker, new RegExp(`^away: Redis 127.0.0.1:${killed.port}`));
    expect(await degraded(worker)).toEqual(lost);
    expect(worker.connection.circuit.isClosed).toBe(true);
    // A client of this proxy moves meanwhile, and one of another proxy is at home where Redis is there.
    const by = { owner: 'lb1/1', epoch: 3 };
    await worker.table.claim({ key: 'device-0', usable: ['b'], candidate: 'b', by });
    await worker.table.confirm({ key: 'device-0', server: 'b', by });
    expect(worker.table.unwritten.waiting).toBe(1);

    await until(worker, /^back$/);
    expect(worker.heard).toHaveLength(2);
    expect(worker.table.unwritten.waiting).toBe(0);
    expect(await worker.table.get('device-0')).toMatchObject({ server: 'b', epoch: 3 });
    expect((await look(worker, 'device-0')).degraded).toBe(false);
    const promoted = await cluster.masterOfKey(stickKey('device-0'));
    expect(promoted.port).not.toBe(killed.port);
    expect(await promoted.admin.get(stickKey('device-0'))).toBe('b|lb1/1|3|o');

    // It comes back as a replica of the one that took its place; nobody is told anything.
    await killed.restart();
    await vi.waitFor(async () => expect(await killed.admin.info('replication')).toContain('role:slave'), 10_000);
    await vi.waitFor(async () =>
      expect(await worker.table.renew(keys.map(key => pinOf(key, 'a')))).toEqual(['device-0']),
    );
    expect(worker.heard).toHaveLength(2);
  });

  it('a master is frozen and thawed after another one took its place: what it had been told late does no harm', async () => {
    const cluster = using(await RedisCluster.start());
    const worker = using(await Worker.there({ target: cluster.target, prefix: 'limpet', timeoutMs: 100 }));
    for (const key of keys) await worker.table.confirm(pinOf(key, 'a'));
    const frozen = await cluster.masterOfKey(stickKey('device-0'));
    const lost = await keysOf(cluster, frozen);
    frozen.freeze();
    const started = performance.now();
    const answers = await Promise.all(lost.slice(0, 3).map(key => look(worker, key)));
    expect(performance.now() - started).toBeLessThan(1000);
    expect(answers.map(answer => answer.degraded)).toEqual([true, true, true]);
    await until(worker, /^away: .*did not answer within 100 ms/);
    expect((await degraded(worker)).every(key => lost.includes(key))).toBe(true);
    await until(worker, /^back$/);
    await worker.table.confirm(pinOf('device-0', 'b', 5));
    frozen.thaw();
    await vi.waitFor(async () => expect(await frozen.admin.info('replication')).toContain('role:slave'), 15_000);
    expect(await worker.table.get('device-0')).toMatchObject({ server: 'b', epoch: 5 });
  });

  it('a newer claim of another proxy, made on the new master, is not overwritten', async () => {
    const cluster = using(await RedisCluster.start());
    const worker = using(await Worker.there({ target: cluster.target, prefix: 'limpet', timeoutMs: 100 }));
    const other = using(await Worker.there({ target: cluster.target, prefix: 'limpet', timeoutMs: 100 }));
    await worker.table.confirm(pinOf('device-0', 'a'));
    const killed = await cluster.masterOfKey(stickKey('device-0'));
    await killed.kill();
    await until(worker, /^away/);
    await worker.table.confirm(pinOf('device-0', 'b', 3));
    await vi.waitFor(async () => expect(await cluster.masterOfKey(stickKey('device-0'))).not.toBe(killed), 15_000);
    const promoted = await cluster.masterOfKey(stickKey('device-0'));
    await promoted.admin.set(stickKey('device-0'), 'c|lb2/1|9|o', 'PX', 60_000);
    await until(worker, /^back$/);
    await until(other, /^back$/);
    expect(worker.table.unwritten.waiting).toBe(0);
    expect(await promoted.admin.get(stickKey('device-0'))).toBe('c|lb2/1|9|o');
  });

  it('slots move: keys follow by ASK and MOVED, and nobody is told of an absence', async () => {
    const cluster = using(await RedisCluster.start());
    const worker = using(await Worker.there({ target: cluster.target, prefix: 'limpet' }));
    for (const key of keys) await worker.table.confirm(pinOf(key, 'a'));
    const from = await cluster.masterOfKey(stickKey('device-0'));
    const to = (await cluster.masters()).find(master => master !== from);
    if (to === undefined) throw new Error('one master only');
    const slot = await from.admin.cluster('KEYSLOT', stickKey('device-0'));
    const [source, target] = await Promise.all([from.admin.cluster('MYID'), to.admin.cluster('MYID')]);
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
    await from.admin.migrate('127.0.0.1', to.port, stickKey('device-0'), 0, 5000);
    expect(await look(worker, 'device-0')).toMatchObject({ kind: 'held', server: 'a', degraded: false });
    expect(await worker.table.renew([pinOf('device-0', 'b'), pinOf('device-1', 'a')])).toEqual(['device-0']);
    for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', target);
    expect(await look(worker, 'device-0')).toMatchObject({ kind: 'held', server: 'a', degraded: false });
    expect(await worker.table.renew([pinOf('device-0', 'b')])).toEqual(['device-0']);
    expect(await degraded(worker)).toEqual([]);
    expect(worker.heard).toEqual([]);
  });

  it('one server is full: its keys are still read, and new ones are written later', async () => {
    const cluster = using(await RedisCluster.start());
    const worker = using(await Worker.there({ target: cluster.target, prefix: 'limpet' }));
    for (const key of keys) await worker.table.confirm(pinOf(key, 'a'));
    const full = await cluster.masterOfKey(stickKey('device-0'));
    const there = await keysOf(cluster, full);
    await full.admin.config('SET', 'maxmemory', '1');
    expect(await degraded(worker)).toEqual([]);
    for (const key of keys) await worker.table.confirm(pinOf(key, 'b', 2));
    expect(worker.table.unwritten.waiting).toBe(there.length);
    expect(worker.heard).toEqual([expect.stringMatching(/^refused: .*OOM/)]);
    await full.admin.config('SET', 'maxmemory', '0');
    await vi.waitFor(() => expect(worker.table.unwritten.waiting).toBe(0), 10_000);
    expect(await full.admin.get(stickKey('device-0'))).toBe('b|lb1/1|2|o');
  });

  it('is away as a whole: told, answered here, and back', async () => {
    const cluster = using(await RedisCluster.start());
    for (const server of cluster.servers) server.freeze();
    const worker = using(new Worker({ target: cluster.target, prefix: 'limpet', timeoutMs: 100 }));
    expect(await worker.connection.circuit.firstContact).toBe(false);
    expect(worker.heard).toEqual([expect.stringMatching(/^away: /)]);
    expect(await look(worker, 'device-0')).toMatchObject({ kind: 'free', degraded: true });
    await worker.table.confirm(pinOf('device-0', 'a'));
    for (const server of cluster.servers) server.thaw();
    await vi.waitFor(() => expect(worker.table.unwritten.waiting).toBe(0), 20_000);
    expect(await worker.table.get('device-0')).toMatchObject({ server: 'a' });
  });
});

describe('P4: sentinels', () => {
  it('the master is killed: answers are local until another one is master, which hears what was decided', async () => {
    const sentinels = using(await RedisSentinels.start());
    const worker = using(await Worker.there({ target: sentinels.target, prefix: 'limpet', timeoutMs: 100 }));
    for (const key of keys) await worker.table.confirm(pinOf(key, 'a'));
    const killed = await sentinels.master();
    await killed.kill();
    await until(worker, /^away/);
    expect(await degraded(worker)).toEqual(keys);
    await worker.table.confirm(pinOf('device-0', 'b', 3));
    await until(worker, /^back$/);
    expect(worker.heard).toHaveLength(2);
    await vi.waitFor(async () => {
      const promoted = await sentinels.master();
      expect(promoted).not.toBe(killed);
      expect(await promoted.admin.get(stickKey('device-0'))).toBe('b|lb1/1|3|o');
    }, 10_000);
    for (const key of keys) expect((await look(worker, key)).degraded).toBe(false);
  });

  it('a master that is cut off and replaced is left, though it would still take writes', async () => {
    const sentinels = using(await RedisSentinels.start());
    const worker = using(await Worker.there({ target: sentinels.target, prefix: 'limpet' }));
    await worker.table.confirm(pinOf('device-0', 'a'));
    const former = await sentinels.master();
    // The sentinels agree on another one while the former master runs on, and takes writes, for a second at least.
    const [first] = sentinels.sentinels;
    await first?.admin.call('SENTINEL', 'FAILOVER', 'mymaster');
    await vi.waitFor(async () => expect(await sentinels.master()).not.toBe(former), 15_000);
    const promoted = await sentinels.master();
    await vi.waitFor(async () => {
      await worker.table.confirm(pinOf('device-1', 'b'));
      expect(await promoted.admin.get(stickKey('device-1'))).toBe('b|lb1/1|1|o');
    }, 10_000);
    expect((await look(worker, 'device-1')).degraded).toBe(false);
  });

  it('sentinels that were set up anew count from the beginning: they are believed after a while', async () => {
    const sentinels = using(await RedisSentinels.start());
    const worker = using(await Worker.there({ target: sentinels.target, prefix: 'limpet' }));
    const former = await sentinels.master();
    await sentinels.sentinels[0]?.admin.call('SENTINEL', 'FAILOVER', 'mymaster');
    await vi.waitFor(async () => expect(await sentinels.master()).not.toBe(former), 15_000);
    const promoted = await sentinels.master();
    await vi.waitFor(async () => {
      await worker.table.confirm(pinOf('device-0', 'b'));
      expect(await promoted.admin.get(stickKey('device-0'))).toBe('b|lb1/1|1|o');
    }, 10_000);

    for (const { admin } of sentinels.sentinels) await admin.call('SENTINEL', 'REMOVE', 'mymaster');
    const chosen = sentinels.servers.find(server => server !== promoted);
    await chosen?.admin.replicaof('NO', 'ONE');
    await promoted.kill();
    for (const { admin } of sentinels.sentinels) {
      await admin.call('SENTINEL', 'MONITOR', 'mymaster', '127.0.0.1', chosen?.port ?? 0, 2);
    }
    await worker.table.confirm(pinOf('device-1', 'a'));
    await vi.waitFor(async () => expect(await chosen?.admin.get(stickKey('device-1'))).toBe('a|lb1/1|1|o'), 40_000);
  }, 90_000);

  it('a replica is frozen: nobody notices', async () => {
    const sentinels = using(await RedisSentinels.start());
    const worker = using(await Worker.there({ target: sentinels.target, prefix: 'limpet' }));
    const master = await sentinels.master();
    const replica = sentinels.servers.find(server => server !== master);
    replica?.freeze();
    for (const key of keys) await worker.table.confirm(pinOf(key, 'a'));
    expect(await degraded(worker)).toEqual([]);
    replica?.thaw();
    expect(worker.heard).toEqual([]);
  });

  it('a name that they do not know is told with what to do', async () => {
    const sentinels = using(await RedisSentinels.start());
    const target = { ...sentinels.target, master: 'other' };
    const worker = using(new Worker({ target }));
    expect(await worker.connection.circuit.firstContact).toBe(false);
    expect(worker.heard).toEqual([expect.stringMatching(/^away: .*No such master with that name/)]);
  });
});
