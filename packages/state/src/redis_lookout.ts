import { Redis } from 'ioredis';
import { redisFailure } from './redis_failure.ts';
import { clientOptions } from './redis_node.ts';
import { type PlaceOptions, placeText, type RedisPlace } from './redis_target.ts';
import type { SlotMap } from './slots.ts';
import type { StateError } from './state_error.ts';

/** Who is asked who has the keys. A lookout owns its own connections. */
export interface Lookout {
  /**
   * Which server has which keys now.
   * @throws StateError where nobody answers in time
   */
  look(): Promise<SlotMap>;
  close(): void;
}

/** A look is nobody's wait. */
export const lookMs = 1000;
/** A server that can be asked, and where it is. */
export interface Known {
  readonly place: RedisPlace;
  readonly client: Redis;
}

/** A client that waits for its connection, and whose errors are told by its commands. */
export function openQuietly(options: PlaceOptions, name: string, retryMs: () => number | null): Redis {
  const client = new Redis({
    ...options,
    ...clientOptions(lookMs, name),
    enableOfflineQueue: true,
    connectTimeout: lookMs,
    retryStrategy: retryMs,
  });
  client.on('error', (error: unknown) => causes.set(client, error));
  client.on('ready', () => causes.delete(client));
  return client;
}

/** Why a client has no connection. Its commands only say that there is none. */
const causes = new WeakMap<Redis, unknown>();

export function causeOf(client: Redis, error: unknown, place: RedisPlace): StateError {
  return redisFailure(causes.get(client) ?? error, placeText(place));
}

/** The reply, or why there was none in time. */
export async function within<T>(command: Promise<T>, address: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`no answer within ${lookMs} ms`);
    timer = setTimeout(() => reject(error), lookMs);
  });
  try {
    return await Promise.race([command, late]);
  } catch (error) {
    throw redisFailure(error, address);
  } finally {
    clearTimeout(timer);
  }
}
