import { problemAt } from './locate.ts';
import { besideFile } from './named_file.ts';
import type { Notes } from './notes.ts';
import type { StateConfig } from './resolved.ts';
import { type RawState, redisSchema } from './schema/state.ts';

const SOCKET = /^unix:(?:\/\/([^/@]*@)?)?([^?#]*)(.*)$/s;

/** Makes the path of a unix socket absolute, from the folder of the file that names it. */
function withAbsolutePath(url: string, notes: Notes): string {
  const parts = SOCKET.exec(url);
  if (parts === null) return url;
  const [, login = '', path = '', rest = ''] = parts;
  return `unix://${login}${besideFile(path, ['state', 'redis', 'url'], notes.tree)}${rest}`;
}

/** The state with its defaults. */
export function resolveState(raw: RawState, notes: Notes): StateConfig {
  if (raw.store === 'memory') {
    if (raw.redis !== undefined) {
      const message = '`state.redis` has no effect, for `state.store` is memory';
      const remedy = 'Write `store: redis`, or remove the mapping.';
      notes.warnings.push(problemAt(notes.tree, ['state', 'redis'], 'key', message, remedy));
    }
    return { store: 'memory' };
  }
  const redis = raw.redis ?? redisSchema.parse({});
  return {
    store: 'redis',
    redis: { url: withAbsolutePath(redis.url, notes), prefix: redis.prefix, timeoutMs: redis.timeout },
  };
}
