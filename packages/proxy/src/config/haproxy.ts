import type { Path } from './tree.ts';

const CHECK_WORDS = 'A check has a mapping of its own: `check: { inter: 10s, fall: 3, rise: 2 }`.';
const TLS_WORDS =
  'TLS has a mapping of its own: `tls: { cert: server.pem }` at a bind, `tls: { ca: ca.pem }` at a server.';
const WORKERS = 'It is `global.workers` here.';
const ROUTES = 'It is `routes` of the frontend here: `routes: [{ when: { … }, backend: X }]`.';
const STICK = 'It is `stick` of the backend here: `stick: { on: client_id, size: 100k, expire: 30m }`.';
const LOG =
  'Write `log: { level: info, format: json }`, and `target: { syslog: { address: /dev/log } }` in it for syslog.';
const RUNTIME_API = 'It is `global.runtime_api` here: `runtime_api: /run/limpet/limpet.sock`.';
const STATS = 'It is `global.stats` here: `stats: { bind: 127.0.0.1:8888, uri: /stats }`.';
const STATS_USERS =
  'It is `global.stats.users` here, with a hash that `limpet password` makes: `users: { bob: { password: HASH, level: admin } }`.';
const OPTION = 'There is no `option` here; docs/coming-from-haproxy.md says what each one is called.';

/** HAProxy's word for a key, and ours. */
const KEYS: Readonly<Record<string, string>> = {
  option: OPTION,
  'stick-table': STICK,
  'stick on': STICK,
  acl: ROUTES,
  use_backend: ROUTES,
  nbthread: WORKERS,
  nbproc: WORKERS,
  'cpu-map': 'It is `global.cpu_map` here: `cpu_map: auto`, or `[[0], [1]]`.',
  daemon: 'Remove it: Limpet stays in the foreground; systemd or a container holds it.',
  disabled: 'Write `weight: 0`: no new client goes there.',
  inter: CHECK_WORDS,
  fall: CHECK_WORDS,
  rise: CHECK_WORDS,
  fastinter: CHECK_WORDS,
  downinter: CHECK_WORDS,
  minconn: 'There is no such thing here: `maxconn` is the limit, and a full server is passed over.',
  ssl: TLS_WORDS,
  crt: TLS_WORDS,
  'ca-file': TLS_WORDS,
  'stats socket': RUNTIME_API,
  'stats timeout':
    'It is `timeout` of a socket of `global.runtime_api` here: `{ address: /run/limpet/limpet.sock, timeout: 30s }`.',
  'stats enable': STATS,
  'stats uri': STATS,
  'stats refresh': 'It is `global.stats.refresh` here.',
  'stats auth': STATS_USERS,
  'stats admin': STATS_USERS,
  stats: STATS,
  userlist: STATS_USERS,
  listen: 'Write a frontend and a backend.',
  peers: 'It is `state: { store: redis, redis: { url: … } }` here.',
  log: LOG,
  server: 'Name them in `servers`: `servers: { emqx1: 10.0.0.1:1883 }`.',
};

/** HAProxy's word for a value of one key, and ours. */
const VALUES: readonly (readonly [key: string, value: RegExp, hint: string])[] = [
  ['on', /^src$/, "HAProxy's `src` is `source` here."],
  ['field', /^src$/, "HAProxy's `src` is `source` here."],
  ['balance', /^static-rr$/, "HAProxy's `static-rr` is `roundrobin` here."],
  ['log', /./, LOG],
  ['target', /./, 'Write `target: { file: PATH }`, or `target: { syslog: { address: /dev/log } }`.'],
];

const SECTION =
  /^(?:(?:global|defaults)[ \t]*(?:#.*)?\r?$|(?:frontend|backend|listen|defaults)[ \t]+[\w.-]+(?:[ \t]|\r?$))/gm;

/** What HAProxy's word for a key is here; null: it is none. */
export function hintOfKey(path: Path): string | null {
  const key = String(path.at(-1));
  // In `defaults.timeout` and the like; as the name of a section or a server it would be something else.
  if (key === 'check' && path.at(-2) === 'timeout') return 'It is `check.timeout` of the backend here.';
  const [, deadline] = /^timeout[ -]([a-z]+)$/.exec(key) ?? [];
  if (deadline === 'check') return 'It is `check.timeout` of the backend here.';
  if (deadline !== undefined) return `Write \`timeout: { ${deadline}: … }\`.`;
  return Object.hasOwn(KEYS, key) ? (KEYS[key] ?? null) : null;
}

/** What HAProxy's word for a value is here; null: it is none. */
export function hintOfValue(path: Path, value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const key = path.at(-1);
  return VALUES.find(([name, pattern]) => name === key && pattern.test(value))?.[2] ?? null;
}

/** Whether a text is a configuration of HAProxy: its sections begin at the margin and have no colon. */
export function isHaproxy(text: string): boolean {
  const sections = text.match(SECTION) ?? [];
  return sections.length > 1 || sections.some(line => /^(?:frontend|backend|listen)/.test(line));
}

const WORD_BEHIND =
  /^\S+[ \t]+(?:check|inter|fall|rise|weight|maxconn|backup|ssl|crt|verify|ca-file|send-proxy|accept-proxy|disabled|cookie|port|alpn|interface|name|v4v6|v6only|track|on-marked-down|slowstart)/;

/** Whether words of HAProxy stand behind an address. */
export function hasWordsBehind(address: string): boolean {
  return WORD_BEHIND.test(address.trim());
}
