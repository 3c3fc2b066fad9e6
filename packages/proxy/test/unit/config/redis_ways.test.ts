import { expect, test } from 'vitest';
import { loadFiles, wrongsOf } from './scratch.ts';

const SECRET = 'hunter2';
const REST = `
frontends: { mqtt: { bind: "*:1883", default_backend: b } }
backends: { b: { servers: { a: 10.0.0.1 } } }
`;
const withRedis = (keys: string): string => `state: { store: redis, redis: { ${keys} } }${REST}`;

function targetOf(keys: string): unknown {
  const loaded = loadFiles({ 'limpet.yaml': withRedis(keys), 'ca.pem': '' }, { SECRET });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.state.store === 'redis' ? loaded.config.state.redis.target : null;
}

const noLogin = { login: null, tls: null };
const tls = { ca: '%/ca.pem', cert: null, key: null, verify: 'required', serverName: null };

test.each([
  ['nothing', '', { kind: 'server', url: 'redis://127.0.0.1:6379/0', database: null, ...noLogin }],
  [
    'a database beside the default URL',
    'database: 3',
    { kind: 'server', url: 'redis://127.0.0.1:6379/0', database: 3, ...noLogin },
  ],
  [
    'an authority of our own',
    'url: rediss://h, tls: { ca: ca.pem }',
    { kind: 'server', url: 'rediss://h', login: null, database: null, tls },
  ],
  [
    'a password from the environment, as it is',
    `url: redis://h, username: u, password: "\${SECRET}"`,
    { kind: 'server', url: 'redis://h', login: { username: 'u', password: SECRET }, database: null, tls: null },
  ],
  [
    'a cluster',
    'cluster: [10.0.0.1, "[2001:db8::1]:7000"], tls: true',
    {
      kind: 'cluster',
      nodes: [
        { host: '10.0.0.1', port: 6379 },
        { host: '2001:db8::1', port: 7000 },
      ],
      login: null,
      tls: { ...tls, ca: null },
    },
  ],
  [
    'sentinels, which speak TLS as Redis does',
    'sentinels: [s1], master: m, database: 2, sentinel_password: x, tls: { ca: ca.pem, server_name: redis }',
    {
      kind: 'sentinel',
      sentinels: [{ host: 's1', port: 26_379 }],
      master: 'm',
      login: null,
      database: 2,
      tls: { ...tls, serverName: 'redis' },
      sentinelLogin: { username: null, password: 'x' },
      sentinelTls: { ...tls, serverName: 'redis' },
    },
  ],
  [
    'sentinels without TLS',
    'sentinels: [s1:1], master: m, tls: true, sentinel_tls: false',
    {
      kind: 'sentinel',
      sentinels: [{ host: 's1', port: 1 }],
      master: 'm',
      login: null,
      database: null,
      tls: { ...tls, ca: null },
      sentinelLogin: null,
      sentinelTls: null,
    },
  ],
])('state.redis: %s', (_, keys, target) => {
  expect(targetOf(keys)).toEqual(target);
});

test.each([
  ['sentinels without a master', 'sentinels: [s1]', '`state.redis.sentinels`: they may watch several masters'],
  ['a master without sentinels', 'master: m', '`state.redis.master`: it is known by sentinels'],
  ['a database in a cluster', 'cluster: [a], database: 1', 'it has no effect with a cluster'],
  ['TLS on a URL without', 'url: redis://h, tls: true', 'Write `url: rediss://…`'],
  ['TLS on a socket', 'url: unix:///run/redis.sock, tls: true', 'a socket has none'],
  ['no TLS on a URL with', 'url: rediss://h, tls: false', 'the URL names TLS'],
  ['a user without a password', 'username: u', 'Add `password`'],
  ['two databases', 'url: redis://h/1, database: 1', 'the URL says it already'],
  ['two passwords', 'url: unix://:x@/run/redis.sock, password: x', 'the URL says it already'],
])('state.redis: %s is refused, with what would be right', (_, keys, expected) => {
  expect(wrongsOf(withRedis(keys)).join('\n')).toContain(expected);
});

test.each([
  ['in both places', `url: "redis://:${SECRET}@h", password: ${SECRET}`],
  ['in a list', `password: [${SECRET}]`],
  ['of the sentinels, as a number of another key', `sentinel_password: { ${SECRET}: 1 }`],
  ['as the wrong kind, from the environment', `sentinel_password: ["\${SECRET}"]`],
  ['without sentinels', `sentinel_password: ${SECRET}`],
])('P11: a password %s is refused without being shown', (_, keys) => {
  const wrongs = wrongsOf(withRedis(keys), { SECRET });
  expect(wrongs.length).toBeGreaterThan(0);
  expect(wrongs.join('\n')).not.toContain(SECRET);
});
