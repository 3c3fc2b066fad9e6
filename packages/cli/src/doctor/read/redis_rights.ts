import type { Redis } from 'ioredis';

/**
 * Each command that Limpet sends, alone or in a script, on a key of the doctor's own. A command that is refused for what
 * it says, and not for who says it, is allowed.
 */
const COMMANDS: readonly (readonly [name: string, args: (key: string) => readonly (string | number)[]])[] = [
  ['SET', key => [key, 'x', 'PX', 5_000]],
  ['GET', key => [key]],
  ['PTTL', key => [key]],
  ['PEXPIRE', key => [key, 5_000]],
  ['DEL', key => [key]],
  ['HSET', key => [`${key}:hash`, 'field', 'x']],
  ['HGET', key => [`${key}:hash`, 'field']],
  ['HGETALL', key => [`${key}:hash`]],
  ['HLEN', key => [`${key}:hash`]],
  ['HSCAN', key => [`${key}:hash`, 0]],
  ['HDEL', key => [`${key}:hash`, 'field']],
  ['TIME', () => []],
  ['SCAN', key => [0, 'MATCH', key, 'COUNT', 1]],
  ['EVAL', key => ['return 1', 1, key]],
  ['EVALSHA', key => ['0'.repeat(40), 1, key]],
];

/** Those that the user may not. Nothing is left behind. */
export async function forbiddenCommands(client: Redis, key: string): Promise<readonly string[]> {
  const forbidden: string[] = [];
  for (const [name, args] of COMMANDS) {
    try {
      await client.call(name, ...args(key));
    } catch (error) {
      if (/^NOPERM/.test(error instanceof Error ? error.message : '')) forbidden.push(name);
    }
  }
  return forbidden;
}
