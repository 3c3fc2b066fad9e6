import type { RedisPlace } from '@limpet/state';
import type { SentinelAnswer } from '../judge/redis_group.ts';
import { openRedis, type Place, redisTrouble } from './redis_node.ts';

/** Asks one sentinel for the master of that name. Never rejects. */
export async function readSentinel(place: Place, name: string): Promise<SentinelAnswer> {
  const nothing = { place: place.shown, trouble: null, master: null, quorumTrouble: null };
  try {
    const client = await openRedis(place);
    try {
      const found = await client.call('SENTINEL', 'get-master-addr-by-name', name);
      if (!Array.isArray(found) || found.length < 2) return nothing;
      const master = `${found[0]}:${found[1]}`;
      const quorumTrouble = await client.call('SENTINEL', 'ckquorum', name).then(
        () => null,
        (error: unknown) => redisTrouble(error),
      );
      return { ...nothing, master, quorumTrouble };
    } finally {
      client.disconnect();
    }
  } catch (error) {
    return { ...nothing, trouble: redisTrouble(error) };
  }
}

/** The master that the first of them names that names one. */
export function masterOf(answers: readonly SentinelAnswer[]): RedisPlace | null {
  const named = answers.find(({ master }) => master !== null)?.master ?? null;
  const parts = /^(.*):(\d+)$/.exec(named ?? '');
  return parts === null ? null : { host: parts[1] ?? '', port: Number(parts[2]) };
}
