import type { RedisPlace } from '@limpet/state';
import type { SentinelAnswer } from '../judge/redis_group.ts';
import { openRedis, type Place, redisTrouble } from './redis_node.ts';

/** Asks one sentinel for the master of that name. Never rejects. */
export async function readSentinel(place: Place, name: string): Promise<SentinelAnswer> {
  const nothing = { place: place.shown, trouble: null, master: null, quorumTrouble: null };
  try {
    const client = await openRedis(place);
    try {
      // The one question that Limpet's own user must be allowed.
      const master = placeOf(await client.call('SENTINEL', 'master', name).catch(unknown));
      if (master === null) return nothing;
      const quorumTrouble = await client.call('SENTINEL', 'ckquorum', name).then(
        () => null,
        // Whoever may not ask learns nothing of it.
        (error: unknown) => (/^NOPERM/.test(redisTrouble(error)) ? null : redisTrouble(error)),
      );
      return { ...nothing, master, quorumTrouble };
    } finally {
      client.disconnect();
    }
  } catch (error) {
    return { ...nothing, trouble: redisTrouble(error) };
  }
}

/** @throws what is said, but that there is no such master */
function unknown(error: unknown): null {
  if (/^ERR No such master/.test(redisTrouble(error))) return null;
  throw error;
}

/** Names and values in turn, `ip` and `port` among them. */
function placeOf(reply: unknown): string | null {
  if (!Array.isArray(reply)) return null;
  const value = (name: string): unknown => reply[reply.findIndex((field, at) => at % 2 === 0 && field === name) + 1];
  const [host, port] = [value('ip'), value('port')];
  return typeof host === 'string' && typeof port === 'string' ? `${host}:${port}` : null;
}

/** The master that the first of them names that names one. */
export function masterOf(answers: readonly SentinelAnswer[]): RedisPlace | null {
  const named = answers.find(({ master }) => master !== null)?.master ?? null;
  const parts = /^(.*):(\d+)$/.exec(named ?? '');
  return parts === null ? null : { host: parts[1] ?? '', port: Number(parts[2]) };
}
