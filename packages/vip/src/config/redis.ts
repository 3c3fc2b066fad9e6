import { resolve } from 'node:path';
import { parseRedisUrl, type RedisLogin, type RedisTarget, type RedisTls, StateError } from '@limpet/state';
import type { Fault } from './faults.ts';
import type { RawRedis } from './schema.ts';

const usualUrl = 'redis://127.0.0.1:6379/0';

/** Where the lease is. @param folder of the file, where relative paths begin */
export function resolveRedis(raw: RawRedis, folder: string, fault: Fault): RedisTarget {
  const ways = (['url', 'sentinels', 'cluster'] as const).filter(key => raw[key] !== undefined);
  if (ways.length > 1) fault(['redis', ways[1] ?? ''], `one of ${ways.join(' and ')} is enough`, 'Remove the other.');
  if ((raw.master === undefined) !== (raw.sentinels === undefined)) {
    fault(['redis'], 'sentinels and master belong together', 'Add the one that is missing.');
  }
  const login = loginOf(raw.username, raw.password);
  const tls = tlsOf(raw.tls, folder);
  if (raw.cluster !== undefined) return { kind: 'cluster', nodes: raw.cluster, login, tls };
  const database = raw.database ?? null;
  if (raw.sentinels !== undefined) {
    const { sentinels, master = '' } = raw;
    const sentinelLogin = loginOf(raw.sentinel_username, raw.sentinel_password);
    const sentinelTls = raw.sentinel_tls === undefined ? tls : tlsOf(raw.sentinel_tls, folder);
    return { kind: 'sentinel', sentinels, master, login, database, tls, sentinelLogin, sentinelTls };
  }
  const url = raw.url ?? usualUrl;
  checkUrl(url, fault);
  return { kind: 'server', url, login, database, tls };
}

function checkUrl(url: string, fault: Fault): void {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    fault(['redis', 'url'], error.message.replace('state.redis.url', 'redis.url'), error.remedy);
  }
}

function loginOf(username: string | undefined, password: string | undefined): RedisLogin | null {
  if (username === undefined && password === undefined) return null;
  return { username: username ?? null, password: password ?? null };
}

function tlsOf(raw: RawRedis['tls'], folder: string): RedisTls | null {
  if (raw === undefined || raw === false) return null;
  const { ca, cert, key, verify, server_name } = raw === true ? { verify: 'required' as const } : raw;
  const path = (name: string | undefined): string | null => (name === undefined ? null : resolve(folder, name));
  return { ca: path(ca), cert: path(cert), key: path(key), verify, serverName: server_name ?? null };
}
