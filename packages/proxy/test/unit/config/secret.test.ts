import { expect, test } from 'vitest';
import { maskUrl } from '../../../src/config/secret.ts';
import { withBackend, wrongsOf } from './scratch.ts';

const SECRET = 'hunter2-%41';

test.each([
  ['redis://127.0.0.1:6379/0', 'redis://127.0.0.1:6379/0'],
  [`redis://:${SECRET}@127.0.0.1:6379/0`, 'redis://***@127.0.0.1:6379/0'],
  [`rediss://user:${SECRET}@host`, 'rediss://***@host'],
  [`redis://:a@${SECRET}@host`, 'redis://***@host'],
  [`unix://:${SECRET}@/run/redis.sock?db=1`, 'unix://***@/run/redis.sock?***'],
  [`redis://host?password=${SECRET}`, 'redis://host?***'],
  [`redis:${SECRET}@host`, 'redis:***@host'],
  [`:${SECRET}@host`, '***@host'],
])('P11: %s is shown as %s', (url, shown) => {
  expect(maskUrl(url)).toBe(shown);
});

const redis = (url: string): string =>
  `state: { store: redis, redis: { url: ${url} } }\n${withBackend('servers: { a: 10.0.0.1 }')}`;
const ticket = (keys: string): string => `global: { tls: { ${keys} } }\n${withBackend('servers: { a: 10.0.0.1 }')}`;
const check = (keys: string): string => withBackend(`check: { ${keys} }\n    servers: { a: 10.0.0.1 }`);

const users = (keys: string): string =>
  `global: { stats: { bind: 127.0.0.1:1, users: { ${keys} } } }\n${withBackend('servers: { a: 10.0.0.1 }')}`;

test.each([
  ['a URL with another scheme', redis(`"http://:${SECRET}@host"`)],
  ['a URL with a bad port', redis(`"redis://:${SECRET}@host:port"`)],
  ['a URL with a bad database', redis(`"redis://:${SECRET}@host/zero"`)],
  ['no URL at all', redis(`"x:${SECRET}@host"`)],
  ['a URL that is a list', redis(`["redis://:${SECRET}@host"]`)],
  ['a URL from the environment', redis(`"ftp://:\${SECRET}@host"`)],
  ['a weight from the environment', withBackend(`servers: { a: { address: 10.0.0.1, weight: "\${SECRET}" } }`)],
  [
    'a backend from the environment',
    `${check('type: tcp')}`.replace('default_backend: b', `default_backend: "\${SECRET}"`),
  ],
  ['a password without a user name', check(`password: ${SECRET}`)],
  ['a password of the wrong type of check', check(`type: tcp, password: ${SECRET}`)],
  ['a password that is a mapping', check(`password: { ${SECRET}: 1 }`)],
  ['a password that is an alias', check(`username: a, password: *${SECRET}`)],
  ['a password that is a tag', check(`username: a, password: !${SECRET} x`)],
  ['a password in an open quote', check(`username: a, password: "${SECRET}`)],
  ['a ticket secret that is too short', ticket(`ticket_secret: ${SECRET}`)],
  ['a ticket secret that is too short, from the environment', ticket(`ticket_secret: "\${SECRET}"`)],
  ['a ticket secret that is a list', ticket(`ticket_secret: [${SECRET}]`)],
  ['a password that is no hash', users(`bob: ${SECRET}`)],
  ['a password of a mapping that is no hash', users(`bob: { password: ${SECRET}, level: boss }`)],
  ['a password of a user that is a list', users(`bob: [${SECRET}]`)],
  ['a password of a user that is an alias', users(`bob: *${SECRET}`)],
  ['a password of a user from the environment', users(`bob: "\${SECRET}"`)],
  ['a hash without quotes', users(`bob: $scrypt$ln=15,r=8,p=1$${SECRET}`)],
  ['a hash without quotes in a mapping', users(`bob: { password: $scrypt$ln=15,r=8,p=1$${SECRET} }`)],
  ['a hash that is cut', users(`bob: "$scrypt$ln=15,r=8,p=1$${SECRET}"`)],
  [
    'a word of HAProxy with a password',
    `global: { stats auth: "bob:${SECRET}" }\n${withBackend('servers: { a: 10.0.0.1 }')}`,
  ],
  ['a password with a bad escape', check(`username: a, password: "${SECRET}\\d"`)],
])('P11: %s is refused without being shown', (_, text) => {
  const wrongs = wrongsOf(text, { SECRET });
  expect(wrongs.length).toBeGreaterThan(0);
  expect(wrongs.join('\n')).not.toContain('hunter2');
});
