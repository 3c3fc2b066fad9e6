import type { RedisOptions } from 'ioredis';
import { StateError } from './state_error.ts';

/** Where a Redis is, in ioredis's words, and as it may be shown to people. */
export interface RedisAddress {
  readonly options: Pick<RedisOptions, 'host' | 'port' | 'path' | 'username' | 'password' | 'db' | 'tls'>;
  /** The URL with `***` for the password. */
  readonly shown: string;
}

const forms = 'redis://[user:password@]host[:port][/db], rediss://… for TLS, or unix://[user:password@]/path[?db=N]';
const unixShape = /^(?:unix|redis\+unix):\/\/(?:([^@/]*)@)?(\/[^?#]+)(?:\?([^#]*))?$/;

/**
 * Reads `state.redis.url`. User and password are percent-encoded, as in every URL.
 * @throws StateError REDIS_URL_INVALID; the text never repeats the URL, which may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const unix = unixShape.exec(url);
  if (unix) return unixAddress(unix[1] ?? '', unix[2] ?? '', unix[3] ?? '');
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw invalid('it is not a URL');
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') throw invalid(`scheme ${parsed.protocol}`);
  return tcpAddress(parsed);
}

function tcpAddress(url: URL): RedisAddress {
  const secure = url.protocol === 'rediss:';
  const query = databaseOf(url.search.slice(1));
  const path = url.pathname === '' || url.pathname === '/' ? null : databaseNumber(url.pathname.slice(1));
  if (url.hostname === '') throw invalid('it names no host');
  const host = decode(url.hostname).replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 6379 : Number(url.port);
  const db = path ?? query ?? 0;
  const login = loginOf(url.username, url.password);
  return {
    options: { host, port, db, ...login, ...(secure ? { tls: {} } : {}) },
    shown: `${url.protocol}//${shownLogin(login)}${url.hostname}:${port}/${db}`,
  };
}

function unixAddress(userinfo: string, path: string, search: string): RedisAddress {
  const colon = userinfo.indexOf(':');
  const login = loginOf(colon < 0 ? userinfo : userinfo.slice(0, colon), colon < 0 ? '' : userinfo.slice(colon + 1));
  const db = databaseOf(search) ?? 0;
  return {
    options: { path: decode(path), db, ...login },
    shown: `unix://${shownLogin(login)}${path}${db === 0 ? '' : `?db=${db}`}`,
  };
}

type Login = Pick<RedisOptions, 'username' | 'password'>;

function loginOf(username: string, password: string): Login {
  return {
    ...(username === '' ? {} : { username: decode(username) }),
    ...(password === '' ? {} : { password: decode(password) }),
  };
}

function shownLogin(login: Login): string {
  if (login.password === undefined) return login.username === undefined ? '' : `${encodeURIComponent(login.username)}@`;
  return `${encodeURIComponent(login.username ?? '')}:***@`;
}

function databaseOf(search: string): number | null {
  let database: number | null = null;
  for (const [name, value] of new URLSearchParams(search)) {
    if (name !== 'db') throw invalid(`unknown parameter ${JSON.stringify(name)}`);
    database = databaseNumber(value);
  }
  return database;
}

function databaseNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw invalid('the database is not a number');
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a % in it does not begin an escape');
  }
}

function invalid(why: string): StateError {
  return new StateError('REDIS_URL_INVALID', `state.redis.url cannot be used: ${why}`, `Write ${forms}.`);
}
