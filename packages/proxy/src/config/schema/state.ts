import { parseRedisUrl, StateError } from '@limpet/state';
import { z } from 'zod';
import type { Reading } from '../units.ts';
import { choice, duration, keyDoc, scalar, text, type Written } from './values.ts';

export interface RawState {
  readonly store: 'memory' | 'redis';
  readonly redis?: RawRedis | undefined;
}

interface RawRedis {
  readonly url: string;
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
  // A relative path becomes absolute later (resolve_state.ts), by the folder of the file.
  const why = complaint(socket === null ? url : `unix://${socket[1] ?? ''}/${socket[2]}${socket[3]}`);
  if (why === null) return { ok: true, value: url };
  const message = why === 'it is not a URL' ? '{value} is not a URL' : `{value} cannot be used: ${why}`;
  return { ok: false, message, remedy: `${REMEDY} ${ESCAPES}` };
}

const PREFIX = { pattern: /^[A-Za-z0-9_.:-]{1,64}$/, remedy: 'Write 1 to 64 letters, digits, and _ . : -.' };

/** The keys of `state.redis`; all have defaults. */
export const redisSchema: z.ZodType<RawRedis> = z
  .strictObject({
    url: scalar(
      'URL',
      '`redis://`, `rediss://` (TLS) or `unix://` and the path of a socket. It may hold user name, password and ' +
        'database: `redis://user:password@host:6379/0`, `unix:///run/redis.sock?db=1`. A relative path of a socket ' +
        'begins at the folder of the file. Its password is never shown.',
      readRedisUrl,
    ).prefault('redis://127.0.0.1:6379/0'),
    prefix: text('What every key in Redis begins with. Proxies that share a table have the same.', PREFIX).prefault(
      'limpet',
    ),
    timeout: duration(
      'Deadline of one call. After it the proxy answers from its own memory; no client waits longer for Redis.',
      5,
      10_000,
    ).prefault('100ms'),
  })
  .meta(keyDoc('mapping', 'The server that keeps the state. Only with `store: redis`.'));

export const stateSchema: z.ZodType<RawState> = z
  .strictObject({
    store: choice(
      'Where the stick tables are. `memory`: in this proxy, lost when it stops. `redis`: in Redis or Valkey, shared ' +
        'by all proxies.',
      ['memory', 'redis'],
    ).prefault('memory'),
    redis: redisSchema.optional(),
  })
  .meta(keyDoc('mapping', 'Where the proxy remembers which client belongs to which server.'));
