import { z } from 'zod';
import { type RawRedis, redisSchema } from './redis.ts';
import { choice, keyDoc } from './values.ts';

export interface RawState {
  readonly store: 'memory' | 'redis';
  readonly redis?: RawRedis | undefined;
}

export const stateSchema: z.ZodType<RawState> = z
  .strictObject({
    store: choice(
      'Where the stick tables are. `memory`: in this proxy, lost when it stops. `redis`: in Redis or Valkey, shared ' +
        'by all proxies.',
      ['memory', 'redis'],
    ).prefault('memory'),
    redis: redisSchema.optional(),
  })
  .meta(keyDoc('mapping', 'Where the proxy remembers which client belongs to which server.'));
