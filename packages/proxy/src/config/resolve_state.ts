import { problemAt } from './locate.ts';
import type { Notes } from './notes.ts';
import { resolveRedis } from './resolve_redis.ts';
import type { StateConfig } from './resolved.ts';
import { redisSchema } from './schema/redis.ts';
import type { RawState } from './schema/state.ts';

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
  return { store: 'redis', redis: resolveRedis(raw.redis ?? redisSchema.parse({}), notes) };
}
