import { z } from 'zod';
import { writeDuration } from '../units.ts';
import { toggle } from './toggle.ts';
import { choice, duration, integer, type KeyDoc, keyDoc, port, text } from './values.ts';

export type CheckType = 'mqtt' | 'tcp' | 'http';
export type Preset = 'emqx' | 'hivemq' | 'rabbitmq' | 'vernemq';

/** What is written of a check; the server's is laid over the backend's, and then the defaults below fill the rest. */
export interface RawCheck {
  readonly type?: CheckType | undefined;
  readonly inter?: number | undefined;
  readonly fastinter?: number | undefined;
  readonly downinter?: number | undefined;
  readonly rise?: number | undefined;
  readonly fall?: number | undefined;
  readonly timeout?: number | undefined;
  readonly port?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly preset?: Preset | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly host?: string | undefined;
  readonly expect?: readonly number[] | undefined;
}

/** What holds where a check says nothing. Times are milliseconds. */
export const CHECK_DEFAULTS = {
  inter: 2_000,
  rise: 2,
  fall: 3,
  fastinterAtMost: 1_000,
  timeoutAtMost: 2_000,
  method: 'GET',
  path: '/',
  expect: [200],
} as const;

const { inter, rise, fall, fastinterAtMost, timeoutAtMost, method, path, expect } = CHECK_DEFAULTS;

const PATH = { pattern: /^\/[!-~]*$/, remedy: 'Write a path that begins with / and has no space: /health.' };
const HOST = { pattern: /^[A-Za-z0-9_.:[\]-]{1,255}$/, remedy: 'Write a host name, with a port where it needs one.' };

const status = (meaning: string): z.ZodType<number> => integer(meaning, 100, 599);
const EXPECT = 'The status, or list of them, that means alive. `http` only.';
const expected = z
  .union([status(EXPECT).transform(code => [code]), z.array(status(EXPECT)).min(1)])
  .meta(keyDoc('status or list', { meaning: EXPECT, standard: String(expect[0]) }));

const checkKeys: z.ZodType<RawCheck> = z.strictObject({
  type: choice(
    {
      meaning:
        '`mqtt`: CONNECT, CONNACK, DISCONNECT; a refusal for credentials is alive. `tcp`: connecting is enough. ' +
        '`http`: a request to another port of the broker.',
      standard: '`mqtt`; with `preset`, `http`; in `mode: tcp`, and on a server with `websocket`, `tcp`',
    },
    ['mqtt', 'tcp', 'http'],
  ).optional(),
  inter: duration({ meaning: 'Time between two checks.', standard: writeDuration(inter) }).optional(),
  fastinter: duration({
    meaning: 'Time between two checks while a server is between UP and DOWN.',
    standard: `\`inter\`, ${writeDuration(fastinterAtMost)} at most`,
  }).optional(),
  downinter: duration({ meaning: 'Time between two checks while a server is DOWN.', standard: '`inter`' }).optional(),
  rise: integer({ meaning: 'Good checks in a row that make a server UP.', standard: String(rise) }, 1, 1000).optional(),
  fall: integer(
    { meaning: 'Bad checks in a row that make a server DOWN.', standard: String(fall) },
    1,
    1000,
  ).optional(),
  timeout: duration({
    meaning: 'How long one check may take, from connecting to the answer.',
    standard: `\`inter\`, ${writeDuration(timeoutAtMost)} at most`,
  }).optional(),
  port: port({
    meaning: 'The port to check. Required for `http` without a preset, except in `mode: tcp`.',
    standard: "the server's, or the preset's",
  }).optional(),
  username: text('The user name of the CONNECT. `mqtt` only.').optional(),
  password: text('The password of the CONNECT, with a user name. `mqtt` only. It is never shown.').optional(),
  preset: choice(
    'Path, port and expected status of what a broker offers to load balancers: `emqx` (port 18083), `hivemq` (8889; its ' +
      'health API must be enabled), `rabbitmq` (15672, management plugin), `vernemq` (8888). Each can be changed by its own ' +
      'key. `http` only.',
    ['emqx', 'hivemq', 'rabbitmq', 'vernemq'],
  ).optional(),
  method: choice({ meaning: 'The method of the request. `http` only.', standard: method }, [
    'GET',
    'HEAD',
    'OPTIONS',
  ]).optional(),
  path: text({ meaning: 'The path of the request. `http` only.', standard: path }, PATH).optional(),
  host: text(
    { meaning: 'The Host header of the request. `http` only.', standard: "the server's address" },
    HOST,
  ).optional(),
  expect: expected.optional(),
});

/** `false`: no check. `true` and an empty mapping: a check with what is inherited. */
export function checkSchema(doc: KeyDoc): z.ZodType<RawCheck | false> {
  return toggle(checkKeys, doc);
}
