import { placeText, type RedisPlace } from '@limpet/state';
import type { Redis } from 'ioredis';
import type { ClusterAnswer } from '../judge/redis_group.ts';

interface ClusterSeen {
  readonly answer: ClusterAnswer;
  readonly masters: readonly RedisPlace[];
}

/**
 * What one server of a cluster tells of it. `seed`: where it was asked. CLUSTER SLOTS is what Limpet's own user must be allowed;
 * CLUSTER INFO knows more.
 * @throws what Redis or the connection says
 */
export async function readCluster(client: Redis, seed: RedisPlace): Promise<ClusterSeen> {
  const ranges = rangesOf(await client.cluster('SLOTS'), seed.host);
  const info = await client.cluster('INFO').then(String, () => '');
  const value = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const masters = new Map(ranges.map(({ master }) => [placeText(master), master]));
  const assigned = ranges.reduce((sum, { slots }) => sum + slots, 0);
  const slotsOk = Number(value('cluster_slots_ok') ?? assigned);
  return {
    answer: { state: value('cluster_state') ?? null, slotsOk, masters: masters.size },
    masters: [...masters.values()],
  };
}

interface Range {
  readonly slots: number;
  readonly master: RedisPlace;
}

/** `[first, last, [host, port, …] of the master, … of its replicas]`; one that knows no address of its own leaves it out. */
export function rangesOf(reply: unknown, askedAt: string): readonly Range[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((range: unknown) => {
    if (!Array.isArray(range)) return [];
    const [first, last, master] = range as readonly unknown[];
    if (!Array.isArray(master) || typeof first !== 'number' || typeof last !== 'number') return [];
    const [host, port] = master as readonly unknown[];
    const place = {
      host: typeof host === 'string' && host !== '' && host !== '?' ? host : askedAt,
      port: Number(port),
    };
    return [{ slots: last - first + 1, master: place }];
  });
}
