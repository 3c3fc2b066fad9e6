import { type RedisTarget, redisKind, redisTarget } from '@limpet/state';
import { besideFile, namedFile } from './named_file.ts';
import { type Notes, noteKey } from './notes.ts';
import type { RedisConfig } from './resolved.ts';
import type { RawRedis } from './schema/redis.ts';
import type { Path } from './tree.ts';

type Kind = RedisTarget['kind'];
type Key = Extract<keyof RawRedis, string>;

const HERE: Path = ['state', 'redis'];
const SOCKET = /^unix:(?:\/\/([^/@]*@)?)?([^?#]*)(.*)$/s;
/** Keys that say which of the three it is, in the order in which one counts. */
const WAYS = [
  ['url', 'one server (`url`)'],
  ['sentinels', 'the master of some sentinels (`sentinels`)'],
  ['cluster', 'a cluster (`cluster`)'],
] as const;

/** Keys that mean something for some of the three only, and what else could be meant. */
const ONLY: Readonly<Partial<Record<Key, { readonly kinds: readonly Kind[]; readonly remedy: string }>>> = {
  master: { kinds: ['sentinel'], remedy: 'Add `sentinels`, or remove the key.' },
  sentinel_username: { kinds: ['sentinel'], remedy: 'Write `username`, or add `sentinels`.' },
  sentinel_password: { kinds: ['sentinel'], remedy: 'Write `password`, or add `sentinels`.' },
  sentinel_tls: { kinds: ['sentinel'], remedy: 'Write `tls`, or add `sentinels`.' },
  database: { kinds: ['server', 'sentinel'], remedy: 'Remove the key: a cluster has only database 0.' },
};

/** Where the state is, with its defaults. */
export function resolveRedis(raw: RawRedis, notes: Notes): RedisConfig {
  const [kind, isOne] = kindOf(raw, notes);
  if (isOne) checkOnly(raw, kind, notes);
  checkLogin('username', 'password', raw, notes);
  checkTls('tls', raw, notes);
  if (kind === 'sentinel') {
    checkLogin('sentinel_username', 'sentinel_password', raw, notes);
    checkTls('sentinel_tls', raw, notes);
  }
  const target = redisTarget(raw, {
    url: written => withAbsolutePath(written, notes),
    file: (written, key) => namedFile(written, [...HERE, ...key], notes),
  });
  if (target.kind === 'server') checkBesideUrl(target.url, raw, notes);
  return { target, prefix: raw.prefix, timeoutMs: raw.timeout };
}

/** Exactly one of the three; false: the file names several, and that was noted. */
function kindOf(raw: RawRedis, notes: Notes): readonly [Kind, boolean] {
  const [way, ...more] = WAYS.filter(([key]) => raw[key] !== undefined);
  if (way !== undefined) {
    for (const [key, words] of more) {
      const what = `the state is kept in ${way[1]} or in ${words}, not in both`;
      noteKey([...HERE, key], what, `Remove \`${way[0]}\` or \`${key}\`.`, notes);
    }
  }
  return [redisKind(raw), more.length === 0];
}

function checkOnly(raw: RawRedis, kind: Kind, notes: Notes): void {
  for (const [key, rule] of Object.entries(ONLY)) {
    if (raw[key as Key] === undefined || rule.kinds.includes(kind)) continue;
    noteKey(
      [...HERE, key],
      `it has no effect with ${kind === 'cluster' ? 'a cluster' : 'one server'}`,
      rule.remedy,
      notes,
    );
  }
  if (kind !== 'sentinel') return;
  if (raw.sentinels === undefined) {
    noteKey(
      [...HERE, 'master'],
      'it is known by sentinels, and none are named',
      'Add `sentinels: [host:26379, …]`.',
      notes,
    );
  } else if (raw.master === undefined) {
    const remedy = 'Add `master`, the name behind `sentinel monitor`: often mymaster.';
    noteKey([...HERE, 'sentinels'], 'they may watch several masters, and none is named', remedy, notes);
  }
}

function checkLogin(
  userKey: 'username' | 'sentinel_username',
  passwordKey: 'password' | 'sentinel_password',
  raw: RawRedis,
  notes: Notes,
): void {
  if (raw[userKey] === undefined || raw[passwordKey] !== undefined) return;
  noteKey([...HERE, userKey], 'a user wants a password', `Add \`${passwordKey}\`.`, notes);
}

function checkTls(at: 'tls' | 'sentinel_tls', { [at]: tls }: RawRedis, notes: Notes): void {
  if (tls === undefined || tls === false) return;
  const path = [...HERE, at];
  if (tls.key !== undefined && tls.cert === undefined) {
    noteKey([...path, 'key'], 'a key wants a certificate', 'Add `cert`, or remove the key.', notes);
  }
  if (tls.ca !== undefined && tls.verify === 'none') {
    const remedy = 'Remove `verify: none`, or `ca`.';
    noteKey([...path, 'ca'], 'it has no effect, for `verify: none` takes any certificate', remedy, notes);
  }
}

/** What the URL says already is not said twice: nobody could tell which of the two holds. */
function checkBesideUrl(url: string, raw: RawRedis, notes: Notes): void {
  const socket = SOCKET.exec(url);
  const parsed = socket === null ? new URL(url) : null;
  const [user = '', secret = ''] = parsed === null ? [socket?.[1]] : [parsed.username, parsed.password];
  const path = parsed === null ? '' : parsed.pathname.slice(1);
  const search = parsed === null ? (socket?.[3] ?? '') : parsed.search;
  const said: readonly (readonly [Key, boolean])[] = [
    ['username', user !== ''],
    ['password', secret !== '' || (parsed === null && user !== '')],
    ['database', path !== '' || search.includes('db=')],
  ];
  for (const [key, isSaid] of said) {
    if (raw[key] === undefined || raw.url === undefined || !isSaid) continue;
    noteKey([...HERE, key], 'the URL says it already', 'Remove it here, or from the URL.', notes);
  }
  if (raw.tls !== undefined && raw.tls !== false && parsed?.protocol !== 'rediss:') {
    const remedy = parsed === null ? 'Remove `tls`: a socket has none.' : 'Write `url: rediss://…`.';
    noteKey([...HERE, 'tls'], 'it has no effect, for the URL names no TLS', remedy, notes);
  }
  if (raw.tls === false && parsed?.protocol === 'rediss:') {
    noteKey([...HERE, 'tls'], 'the URL names TLS', 'Write `url: redis://…`, or remove `tls`.', notes);
  }
}

/** Makes the path of a unix socket absolute, from the folder of the file that names it. */
function withAbsolutePath(url: string, notes: Notes): string {
  const parts = SOCKET.exec(url);
  if (parts === null) return url;
  const [, login = '', path = '', rest = ''] = parts;
  return `unix://${login}${besideFile(path, [...HERE, 'url'], notes.tree)}${rest}`;
}
