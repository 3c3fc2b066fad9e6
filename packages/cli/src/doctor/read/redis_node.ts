import { isIP } from 'node:net';
import { errorCode } from '@limpet/proxy';
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisNode } from '../judge/redis_node.ts';
import { forbiddenCommands } from './redis_rights.ts';

/** Where and as whom one server is asked, in ioredis's words, and as it may be shown. */
export interface Place {
  readonly shown: string;
  readonly options: Pick<RedisOptions, 'host' | 'port' | 'path' | 'username' | 'password' | 'db' | 'tls'>;
}

const PATIENCE_MS = 2_000;
const PINGS = 200;
const SCRIPTS = 50;
/** A server of fifty has one key of these with certainty enough. */
const KEYS_TRIED = 500;
/** All pings together; a slow server is known before the last of them. */
const LOOK_MS = 3_000;

/** A connection for one look: it is not made again, and nothing waits in it. Whoever opens it disconnects it. */
export async function openRedis({ options }: Place): Promise<Redis> {
  const client: Redis = new Redis({
    ...options,
    ...{ lazyConnect: true, enableReadyCheck: false, enableOfflineQueue: false, protocol: 2, disableClientInfo: true },
    ...{
      connectTimeout: PATIENCE_MS,
      commandTimeout: PATIENCE_MS,
      maxRetriesPerRequest: 0,
      connectionName: 'limpet-doctor',
    },
    retryStrategy: () => null,
  });
  let why: unknown = null;
  client.on('error', error => {
    why = error;
  });
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw why ?? error;
  }
}

/** Looks at one server. Never rejects: what is wrong is in the answer, without a secret. */
export async function readRedisNode(
  place: Place,
  prefix: string,
): Promise<{ readonly node: RedisNode; readonly aheadMs: number | null }> {
  const nothing = unasked(place);
  let client: Redis;
  try {
    client = await openRedis(place);
  } catch (error) {
    return { node: { ...nothing, trouble: redisTrouble(error) }, aheadMs: null };
  }
  try {
    const key = await ownKey(client, prefix);
    const asksWith = await questionOf(client, key);
    const info = infoOf(await attempt(() => client.info()));
    return {
      node: {
        ...nothing,
        ...factsOf(info),
        isPersistent: await persistenceOf(client, info),
        asksWith,
        pingsMs: await latencies(PINGS, () => (asksWith === 'PING' ? client.ping() : client.get(key))),
        scriptsMs: await latencies(SCRIPTS, () => client.eval("return redis.call('GET', KEYS[1])", 1, key)),
        forbidden: await forbiddenCommands(client, key),
      },
      aheadMs: await clockOf(client),
    };
  } catch (error) {
    return { node: { ...nothing, trouble: redisTrouble(error) }, aheadMs: null };
  } finally {
    client.disconnect();
  }
}

/** What is known of a server that has not been asked. */
export function unasked({ shown, options }: Place): RedisNode {
  const host = options.path === undefined ? (options.host ?? '') : '127.0.0.1';
  return {
    ...{
      place: shown,
      trouble: null,
      isEncrypted: options.tls !== undefined,
      hasPassword: options.password !== undefined,
    },
    isLocal: host === 'localhost' || (isIP(host) !== 0 && /^(127\.|::1$)/.test(host)),
    ...{ version: null, role: null, replicas: null, maxmemoryBytes: null, policy: null, usedBytes: null },
    ...{ evictedKeys: null, isPersistent: null, clients: null, maxClients: null },
    ...{ asksWith: 'PING', pingsMs: [], scriptsMs: [], forbidden: [] },
  };
}

/** What the server or the connection says, in words; a server repeats no password. */
export function redisTrouble(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (/^(?:NOAUTH|WRONGPASS|ERR (?:AUTH|invalid password))/.test(code))
    return `it refuses the login (${code.split(' ')[0]})`;
  return code;
}

async function attempt<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch {
    return null;
  }
}

/** What is quick to answer and may be asked. @throws where the login is refused, or nothing may be asked */
async function questionOf(client: Redis, key: string): Promise<'PING' | 'GET'> {
  try {
    await client.ping();
    return 'PING';
  } catch (error) {
    if (!/^NOPERM/.test(error instanceof Error ? error.message : '')) throw error;
    await client.get(key);
    return 'GET';
  }
}

/** Sorted; empty where it may not be asked. */
async function latencies(times: number, ask: () => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = [];
  const endMs = performance.now() + LOOK_MS;
  while (taken.length < times && performance.now() < endMs) {
    const startMs = performance.now();
    try {
      await ask();
    } catch {
      return [];
    }
    taken.push(performance.now() - startMs);
  }
  return taken.sort((a, b) => a - b);
}

async function clockOf(client: Redis): Promise<number | null> {
  const startMs = Date.now();
  const time = await attempt(() => client.time());
  if (time === null) return null;
  const [seconds = 0, micros = 0] = time.map(Number);
  return seconds * 1_000 + micros / 1_000 - (startMs + Date.now()) / 2;
}

/** The lines of INFO. */
function infoOf(text: string | null): ReadonlyMap<string, string> {
  return new Map(
    [...(text ?? '').matchAll(/^([a-z_0-9]+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

function factsOf(info: ReadonlyMap<string, string>): Partial<RedisNode> {
  const number = (name: string): number | null => (info.has(name) ? Number(info.get(name)) : null);
  const valkey = info.get('valkey_version');
  const redis = info.get('redis_version');
  const role = info.get('role');
  return {
    version: valkey !== undefined ? `Valkey ${valkey}` : redis === undefined ? null : `Redis ${redis}`,
    role: role === 'master' || role === 'slave' ? role : null,
    replicas: number('connected_slaves'),
    maxmemoryBytes: number('maxmemory'),
    policy: info.get('maxmemory_policy') ?? null,
    usedBytes: number('used_memory'),
    evictedKeys: number('evicted_keys'),
    clients: number('connected_clients'),
    maxClients: number('maxclients'),
  };
}

/** INFO does not tell whether `save` is on, and not every user may ask for the settings. */
async function persistenceOf(client: Redis, info: ReadonlyMap<string, string>): Promise<boolean | null> {
  if (info.get('aof_enabled') === '1') return true;
  const save = await attempt(() => client.config('GET', 'save') as Promise<readonly unknown[]>);
  return typeof save?.[1] === 'string' ? save[1] !== '' : null;
}

/** Of a cluster each server takes a part of the keys only: one of them is ours to try. */
async function ownKey(client: Redis, prefix: string): Promise<string> {
  const names = Array.from({ length: KEYS_TRIED }, (_, at) => `${prefix}:doctor:${process.pid}:${at}`);
  for (const name of names) if (!(await isElsewhere(client, name))) return name;
  return names[0] ?? prefix;
}

async function isElsewhere(client: Redis, key: string): Promise<boolean> {
  try {
    await client.get(key);
    return false;
  } catch (error) {
    return /^MOVED /.test(error instanceof Error ? error.message : '');
  }
}
