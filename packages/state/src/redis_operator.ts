import type { StickEntry, StickTimes } from './contract.ts';
import type { OperatorTable } from './operator_table.ts';
import type { RedisConnection } from './redis.ts';
import type { KeyCommand } from './redis_batch.ts';
import { entryOf } from './redis_table.ts';
import { StateError } from './state_error.ts';
import { isPinned } from './value.ts';

/** Keys that one SCAN looks at: Redis is held for some hundred microseconds. */
const scanCount = 256;
/** Where only keys are counted, nothing else follows. */
const countCount = 1000;

/**
 * The table of a backend in Redis, for operators. It wants a connection of its own with a long deadline, not the one that
 * sessions wait for. SCAN, never KEYS; each other command names one key.
 */
export function redisOperatorTable(connection: RedisConnection, backend: string, times: StickTimes): OperatorTable {
  const prefix = `${connection.prefix}:stick:${backend}:`;
  const pattern = `${escapeGlob(prefix)}*`;
  const scan = async (cursor: string | null, count: number): ReturnType<RedisConnection['scan']> => {
    const { next, keys } = await connection.scan(cursor, pattern, count);
    return { next, keys: [...new Set(keys.map(key => key.slice(prefix.length)))] };
  };
  const put = (force: '0' | '1', entries: Parameters<OperatorTable['put']>[0]): Promise<readonly unknown[]> =>
    all(
      connection,
      entries.map(({ key, server, ttlMs }) => ['stickPut', prefix + key, server, putMs(ttlMs, times.expireMs), force]),
    );
  const read = async (keys: readonly string[]): Promise<StickEntry[]> => {
    const values = await all(
      connection,
      keys.map(key => ['get', prefix + key]),
    );
    // Of the entry of a live session nobody is told what is left, and most are such: one command each, not two.
    const counted = keys.filter((_, i) => typeof values[i] === 'string' && !isPinned(values[i]));
    const pttls = await all(
      connection,
      counted.map(key => ['pttl', prefix + key]),
    );
    let next = 0;
    return keys.flatMap((key, i) => entryOf(key, values[i], key === counted[next] ? pttls[next++] : -1) ?? []);
  };
  return {
    async slice(cursor, isWanted) {
      const { keys, next } = await scan(cursor, scanCount);
      return { entries: await read(isWanted === undefined ? keys : keys.filter(isWanted)), next };
    },
    async get(key) {
      return (await read([key]))[0] ?? null;
    },
    async set(key, server) {
      return (await put('1', [{ key, server, ttlMs: null }]))[0] === 1;
    },
    async put(entries) {
      return (await put('0', entries)).map(reply => (reply === 1 ? 'written' : 'kept'));
    },
    async remove(keys) {
      const replies = await all(
        connection,
        keys.map(key => ['del', prefix + key]),
      );
      return replies.filter(reply => reply === 1).length;
    },
    async count(withinMs = Number.POSITIVE_INFINITY) {
      const endMs = performance.now() + withinMs;
      let count = 0;
      let cursor: string | null = null;
      do {
        if (performance.now() > endMs) return null;
        const { keys, next }: { keys: readonly string[]; next: string | null } = await scan(cursor, countCount);
        count += keys.length;
        cursor = next;
      } while (cursor !== null);
      return count;
    },
  };
}

/** The replies of all; a key that cannot be used gives null. @throws StateError for everything else; what was done stays done */
async function all(connection: RedisConnection, commands: readonly KeyCommand[]): Promise<readonly unknown[]> {
  const replies = await connection.batch(commands);
  return replies.map(reply => {
    if (!(reply instanceof StateError)) return reply;
    if (reply.code === 'REDIS_ENTRY') return null;
    throw reply;
  });
}

/** A text as a pattern that only it matches. Pure. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, character => `\\${character}`);
}

function putMs(ttlMs: number | null, expireMs: number): number {
  return ttlMs === null ? expireMs : Math.max(1, Math.min(Math.round(ttlMs), expireMs));
}
