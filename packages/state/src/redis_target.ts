import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';
import { parseRedisUrl } from './redis_url.ts';
import { StateError } from './state_error.ts';

/** User and password; null: none. The password is never shown. */
export interface RedisLogin {
  readonly username: string | null;
  readonly password: string | null;
}

/** TLS towards Redis. Paths are absolute; they are read once, when the connection is made. */
export interface RedisTls {
  /** Null: the authorities that Node.js knows. */
  readonly ca: string | null;
  /** Our own certificate. */
  readonly cert: string | null;
  readonly key: string | null;
  readonly verify: 'required' | 'none';
  /** The name that is asked for and verified at every server; null: the host as it is connected to. */
  readonly serverName: string | null;
}

/** Where a server listens. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
}

/**
 * Which Redis keeps the state, as plain data that can be sent to another thread. It may hold passwords: never log it.
 *
 * - `server`: one, by its URL. `login`, `database` and `tls` add to what the URL says.
 * - `sentinel`: the one that the sentinels call master now.
 * - `cluster`: all masters of a Redis Cluster; `nodes` are some that are asked first.
 */
export type RedisTarget =
  | {
      readonly kind: 'server';
      readonly url: string;
      readonly login?: RedisLogin | null;
      readonly database?: number | null;
      readonly tls?: RedisTls | null;
    }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly RedisPlace[];
      readonly master: string;
      readonly login: RedisLogin | null;
      readonly database: number | null;
      readonly tls: RedisTls | null;
      readonly sentinelLogin: RedisLogin | null;
      readonly sentinelTls: RedisTls | null;
    }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly RedisPlace[];
      readonly login: RedisLogin | null;
      readonly tls: RedisTls | null;
    };

/** Where and as whom one server is spoken to, in ioredis's words. */
export type PlaceOptions = Pick<RedisOptions, 'host' | 'port' | 'path' | 'username' | 'password' | 'db' | 'tls'>;

/** `10.0.0.1:6379`, `[::1]:6379`. */
export function placeText({ host, port }: RedisPlace): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The target as people may see it: without passwords. */
export function targetText(target: RedisTarget): string {
  if (target.kind === 'sentinel') {
    return `master ${target.master} of sentinels ${target.sentinels.map(placeText).join(', ')}`;
  }
  if (target.kind === 'cluster') return `cluster ${target.nodes.map(placeText).join(', ')}`;
  return parseRedisUrl(target.url).shown;
}

/**
 * What the URL of a server says, and what is written beside it.
 * @throws StateError REDIS_URL_INVALID, REDIS_TLS_INVALID
 */
export function serverOptions(target: Extract<RedisTarget, { kind: 'server' }>): PlaceOptions {
  const { options } = parseRedisUrl(target.url);
  return {
    ...options,
    ...loginOptions(target.login ?? null),
    ...(target.database === undefined || target.database === null ? {} : { db: target.database }),
    ...tlsOptions(target.tls ?? null),
  };
}

/** What all servers of a Sentinel or Cluster have in common. @throws StateError REDIS_TLS_INVALID */
export function sharedOptions(login: RedisLogin | null, tls: RedisTls | null, database: number | null): PlaceOptions {
  return { ...loginOptions(login), ...tlsOptions(tls), ...(database === null ? {} : { db: database }) };
}

function loginOptions(login: RedisLogin | null): PlaceOptions {
  return {
    ...(login === null || login.username === null ? {} : { username: login.username }),
    ...(login === null || login.password === null ? {} : { password: login.password }),
  };
}

function tlsOptions(tls: RedisTls | null): Pick<PlaceOptions, 'tls'> {
  if (tls === null) return {};
  return {
    tls: {
      rejectUnauthorized: tls.verify === 'required',
      ...(tls.ca === null ? {} : { ca: readTlsFile(tls.ca) }),
      ...(tls.cert === null ? {} : { cert: readTlsFile(tls.cert), key: readTlsFile(tls.key ?? tls.cert) }),
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
    },
  };
}

function readTlsFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const what = `${path}, a file of state.redis.tls, cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw new StateError('REDIS_TLS_INVALID', what, 'Check the path, and the rights of the user that runs Limpet.');
  }
}
