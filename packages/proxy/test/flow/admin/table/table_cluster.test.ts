/** Tables that are spread over a Redis Cluster, for operators: pages, exports and counts go through all servers. */
import { MemoryTable } from '@limpet/state';
import { expect, test } from 'vitest';
import { RedisCluster } from '../../../../../state/test/redis_cluster.ts';
import { createTableAdmin } from '../../../../src/admin/table/table_admin.ts';
import { THREAD_ARGUMENTS } from './thread_arguments.ts';

const times = { pendingMs: 20_000, expireMs: 60_000 };
const entries = 1500;

test('pages, an export, a count and a clear see each entry once', async () => {
  await using cluster = await RedisCluster.start();
  const memory = new MemoryTable({ size: 10, times });
  const backends = () => [{ name: 'emqx', servers: ['a', 'b'], times, memory }];
  const redis = { target: cluster.target, prefix: 'limpet', timeoutMs: 2000 };
  const admin = createTableAdmin({ redis, backends, execArgv: THREAD_ARGUMENTS });
  try {
    const keys = Array.from({ length: entries }, (_, i) => `device-${String(i).padStart(4, '0')}`);
    const lines = async function* (): AsyncGenerator<Buffer> {
      for (const key of keys) yield Buffer.from(`${JSON.stringify({ key, server: key.endsWith('1') ? 'b' : 'a' })}\n`);
    };
    expect(await admin.import('emqx', 'json', lines())).toMatchObject({ written: entries, errors: [] });
    expect(await admin.used('emqx')).toBe(entries);

    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page = await admin.page('emqx', {}, cursor, 100);
      seen.push(...page.entries.map(({ key }) => key));
      expect(page.entries.length).toBeLessThanOrEqual(100);
      cursor = page.next;
      pages += 1;
    } while (cursor !== null && pages < entries);
    expect(seen.toSorted()).toEqual(keys);

    const exported: string[] = [];
    for await (const chunk of admin.walk('emqx', 'json', { server: 'b' })) exported.push(chunk.toString());
    expect(exported.join('').trim().split('\n')).toHaveLength(entries / 10);
    expect(await admin.clear('emqx', { server: 'b' })).toBe(entries / 10);
    expect(await admin.used('emqx')).toBe(entries - entries / 10);
  } finally {
    await admin.close();
  }
});
