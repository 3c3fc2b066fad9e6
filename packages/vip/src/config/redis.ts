import { resolve } from 'node:path';
import { parseRedisUrl, type RedisTarget, type RedisTlsWords, redisTarget, StateError } from '@limpet/state';
import type { Fault } from './faults.ts';
import type { RawRedis } from './schema.ts';

/** Where the lease is. @param folder of the file, where relative paths begin */
export function resolveRedis(raw: RawRedis, folder: string, fault: Fault): RedisTarget {
  const ways = (['url', 'sentinels', 'cluster'] as const).filter(key => raw[key] !== undefined);
  if (ways.length > 1) fault(['redis', ways[1] ?? ''], `one of ${ways.join(' and ')} is enough`, 'Remove the other.');
  if ((raw.master === undefined) !== (raw.sentinels === undefined)) {
    fault(['redis'], 'sentinels and master belong together', 'Add the one that is missing.');
  }
  const words = { ...raw, tls: tlsOf(raw.tls), sentinel_tls: tlsOf(raw.sentinel_tls) };
  return redisTarget(words, {
    url: written => {
      checkUrl(written, fault);
      return written;
    },
    file: written => resolve(folder, written),
  });
}

function checkUrl(url: string, fault: Fault): void {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    fault(['redis', 'url'], error.message.replace('state.redis.url', 'redis.url'), error.remedy);
  }
}

function tlsOf(raw: RawRedis['tls']): RedisTlsWords | false | undefined {
  return raw === true ? { verify: 'required' } : raw;
}
