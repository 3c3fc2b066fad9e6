import { parseRedisUrl, type RedisPlace, type RedisTlsWords, type RedisWords, StateError } from '@limpet/state';
import { z } from 'zod';
import { readServer } from '../address.ts';
import type { Reading } from '../units.ts';
import { toggle } from './toggle.ts';
import { choice, duration, integer, keyDoc, type Meaning, scalar, text, type Written } from './values.ts';

/** `state.redis` as it is written. */
export interface RawRedis extends RedisWords {
  readonly prefix: string;
  readonly timeout: number;
}

const REMEDY = 'Write redis://host:6379/0, rediss://host:6379 (TLS) or unix:///run/redis/redis.sock.';

const ESCAPES = 'In a password, write @ / : # and % as %40 %2F %3A %23 and %25.';
const SOCKET = /^unix:(?:\/\/([^/@]*@)?)?([^?#]*)(.*)$/s;

/** What @limpet/state says of a URL, which is what the workers will say of it; null where it takes it. */
function complaint(url: string): string | null {
  try {
    parseRedisUrl(url);
    return null;
  } catch (error) {
    if (error instanceof StateError) return error.message.replace(/^.*? cannot be used: /, '');
    throw error;
  }
}

function readRedisUrl(input: Written): Reading<string> {
  const url = String(input);
  const socket = SOCKET.exec(url);
  if (socket === null && !/^rediss?:\/\//.test(url)) {
    return { ok: false, message: '{value} is not a URL of Redis', remedy: REMEDY };
  }
  if (socket?.[2] === '') return { ok: false, message: '{value} names no socket', remedy: REMEDY };
  // A relative path becomes absolute later (resolve_redis.ts), by the folder of the file.
  const why = complaint(socket === null ? url : `unix://${socket[1] ?? ''}/${socket[2]}${socket[3]}`);
  if (why === null) return { ok: true, value: url };
  const message = why === 'it is not a URL' ? '{value} is not a URL' : `{value} cannot be used: ${why}`;
  return { ok: false, message, remedy: `${REMEDY} ${ESCAPES}` };
}

/** Host and port; a port that is left out is the usual one of what is named. */
function place(meaning: Meaning, usualPort: number): z.ZodType<RedisPlace> {
  return scalar('host:port', meaning, (input): Reading<RedisPlace> => {
    const reading = readServer(input);
    if (reading.ok) return { ok: true, value: { host: reading.value.host, port: reading.value.port ?? usualPort } };
    const remedy = `Write a host and a port: 10.0.0.1:${usualPort}, redis1.example.com:${usualPort} or [2001:db8::1]:${usualPort}.`;
    const message = reading.message.replace('of a broker', 'of a server');
    return { ok: false, message, remedy };
  });
}

function places(meaning: string, usualPort: number): z.ZodType<readonly RedisPlace[]> {
  return z
    .array(place(meaning, usualPort))
    .min(1)
    .max(100)
    .meta(keyDoc('list of host:port', { meaning, standard: 'none' }));
}

const PREFIX = { pattern: /^[A-Za-z0-9_.:-]{1,64}$/, remedy: 'Write 1 to 64 letters, digits, and _ . : -.' };
const MASTER = { pattern: /^[A-Za-z0-9_.-]{1,128}$/, remedy: 'Write the name behind `sentinel monitor`.' };

const file = (meaning: Meaning): z.ZodType<string> => text(meaning, undefined, 'path');
const login = (meaning: string): z.ZodType<string> => text({ meaning, standard: 'none' });

function tlsSchema(doc: { readonly meaning: string; readonly standard: string }): z.ZodType<RedisTlsWords | false> {
  const keys: z.ZodType<RedisTlsWords> = z.strictObject({
    ca: file({ meaning: 'PEM file of the authorities that sign it.', standard: 'those that Node.js knows' }).optional(),
    cert: file('PEM file of our own certificate, where Redis wants one.').optional(),
    key: file('The key of our own certificate, where it is in a file of its own.').optional(),
    verify: choice('Whether the certificate of a server is checked.', ['required', 'none']).prefault('required'),
    server_name: text({
      meaning: 'The name that is asked for, and that the certificate of each server must have.',
      standard: 'the host as it is connected to',
    }).optional(),
  });
  return toggle(keys, { type: 'mapping, or `true`', ...doc });
}

/** The keys of `state.redis`; all have defaults. */
export const redisSchema: z.ZodType<RawRedis> = z
  .strictObject({
    url: scalar(
      'URL',
      {
        meaning:
          'One server: `redis://`, `rediss://` (TLS) or `unix://` and the path of a socket. It may hold user name, ' +
          'password and database: `redis://user:password@host:6379/0`, `unix:///run/redis.sock?db=1`. A relative path of ' +
          'a socket begins at the folder of the file. Its password is never shown.',
        standard: '`redis://127.0.0.1:6379/0`',
      },
      readRedisUrl,
    ).optional(),
    sentinels: places(
      'Instead of `url`: the sentinels that know where the master is. With `master`.',
      26_379,
    ).optional(),
    master: text(
      { meaning: 'What the sentinels call the master (`sentinel monitor NAME …`).', standard: 'none' },
      MASTER,
    ).optional(),
    cluster: places(
      'Instead of `url`: some servers of a Redis Cluster. The others are learnt from them.',
      6379,
    ).optional(),
    username: login('User of Redis (ACL), where the URL does not name one.').optional(),
    password: login(`Its password, never shown. Best from the environment: \`\${REDIS_PASSWORD}\`.`).optional(),
    database: integer(
      { meaning: 'Number of the database, where the URL does not name one. A cluster has only 0.', standard: '0' },
      0,
      99_999,
    ).optional(),
    sentinel_username: login('User of the sentinels.').optional(),
    sentinel_password: login('Its password, never shown.').optional(),
    tls: tlsSchema({
      meaning: 'TLS towards Redis. With `url` it goes with `rediss://` only, for an authority of your own.',
      standard: 'off; on with `rediss://`',
    }).optional(),
    sentinel_tls: tlsSchema({ meaning: 'TLS towards the sentinels.', standard: 'as `tls`' }).optional(),
    prefix: text('What every key in Redis begins with. Proxies that share a table have the same.', PREFIX).prefault(
      'limpet',
    ),
    timeout: duration(
      'Deadline of one call. After it the proxy answers from its own memory; no client waits longer for Redis.',
      5,
      10_000,
    ).prefault('100ms'),
  })
  .meta(keyDoc('mapping', 'The Redis or Valkey that keeps the state. Only with `store: redis`.'));
