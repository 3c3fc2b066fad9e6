import type { RedisLogin, RedisPlace, RedisTarget, RedisTls } from './redis_target.ts';

/** `tls` and `sentinel_tls`; paths as they are written. */
export interface RedisTlsWords {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly verify: 'required' | 'none';
  readonly server_name?: string | undefined;
}

/** The words in which a file names a Redis: `state.redis` of limpet.yaml, and `redis` of vip.yaml. */
export interface RedisWords {
  readonly url?: string | undefined;
  readonly sentinels?: readonly RedisPlace[] | undefined;
  readonly master?: string | undefined;
  readonly cluster?: readonly RedisPlace[] | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  readonly sentinel_username?: string | undefined;
  readonly sentinel_password?: string | undefined;
  readonly tls?: RedisTlsWords | false | undefined;
  readonly sentinel_tls?: RedisTlsWords | false | undefined;
}

/** Makes what is written absolute, from the folder of the file. `key`: where it stands. */
export interface BesideFile {
  url(written: string): string;
  file(written: string, key: readonly string[]): string;
}

const USUAL_URL = 'redis://127.0.0.1:6379/0';

/** Which of the three they name. Where they name several, the caller has said so. Pure. */
export function redisKind({ url, sentinels, cluster, master }: RedisWords): RedisTarget['kind'] {
  if (url !== undefined) return 'server';
  if (sentinels !== undefined) return 'sentinel';
  if (cluster !== undefined) return 'cluster';
  return master === undefined ? 'server' : 'sentinel';
}

/** The Redis that they name. */
export function redisTarget(words: RedisWords, beside: BesideFile): RedisTarget {
  const kind = redisKind(words);
  const login = loginOf(words.username, words.password);
  const database = words.database ?? null;
  const tls = tlsOf(words.tls, 'tls', beside);
  if (kind === 'cluster') return { kind, nodes: words.cluster ?? [], login, tls };
  if (kind === 'server') return { kind, url: beside.url(words.url ?? USUAL_URL), login, database, tls };
  return {
    kind,
    sentinels: words.sentinels ?? [],
    master: words.master ?? '',
    login,
    database,
    tls,
    sentinelLogin: loginOf(words.sentinel_username, words.sentinel_password),
    sentinelTls: words.sentinel_tls === undefined ? tls : tlsOf(words.sentinel_tls, 'sentinel_tls', beside),
  };
}

function loginOf(username: string | undefined, password: string | undefined): RedisLogin | null {
  if (username === undefined && password === undefined) return null;
  return { username: username ?? null, password: password ?? null };
}

function tlsOf(words: RedisWords['tls'], at: 'tls' | 'sentinel_tls', beside: BesideFile): RedisTls | null {
  if (words === undefined || words === false) return null;
  const file = (key: 'ca' | 'cert' | 'key'): string | null => {
    const written = words[key];
    return written === undefined ? null : beside.file(written, [at, key]);
  };
  return {
    ca: file('ca'),
    cert: file('cert'),
    key: file('key'),
    verify: words.verify,
    serverName: words.server_name ?? null,
  };
}
