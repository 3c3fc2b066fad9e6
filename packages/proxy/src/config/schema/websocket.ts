import { z } from 'zod';
import type { Reading } from '../units.ts';
import { networks } from './access.ts';
import { oneOrMore } from './list.ts';
import { toggle } from './toggle.ts';
import { duration, scalar, text, type Written } from './values.ts';

/** `websocket` of a bind. */
export interface RawBindWebSocket {
  readonly path: readonly string[];
  readonly origins?: readonly string[] | undefined;
  readonly trust_forwarded?: readonly string[] | undefined;
  readonly idle: number;
}

/** What EMQX, HiveMQ and most clients use. */
const PATH = '/mqtt';
const PATH_RULE = {
  pattern: /^\/[!-"$->@-~]*$/,
  remedy: 'Write a path that begins with / and has no space, ? or #: /mqtt.',
};
const path = (meaning: string): z.ZodType<string> => text(meaning, PATH_RULE, 'path');

/** RFC 6454, 6.2: scheme, host, and a port that is not the scheme's own. */
function readOrigin(input: Written): Reading<string> {
  const written = String(input).toLowerCase().replace(/\/$/, '');
  const url = URL.canParse(written) ? new URL(written) : null;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url !== null && isWeb && url.pathname === '/' && /^[a-z]+:\/\/[^/?#@]+$/.test(written)) {
    return { ok: true, value: url.origin };
  }
  const remedy =
    'Write scheme and host, and a port where it has one: https://example.com. Without the key, all are served.';
  return { ok: false, message: '{value} is not an origin', remedy };
}

const PATHS = 'The path, or list of paths, that is served; others get 404.';
const ORIGINS = 'Origins of web pages that are served; others get 403. Clients that name none are served.';

const bindKeys: z.ZodType<RawBindWebSocket> = z.strictObject({
  path: oneOrMore(path(PATHS), 'path, or a list of paths', PATHS).prefault(PATH),
  origins: oneOrMore(scalar('origin', ORIGINS, readOrigin), 'origin, or a list of origins', {
    meaning: ORIGINS,
    standard: 'all',
  }).optional(),
  trust_forwarded: networks({
    meaning:
      'HTTP proxies in front of Limpet: the X-Forwarded-For and X-Forwarded-Proto that they send are passed on to servers ' +
      'with `websocket`, and the peer is added. From others these fields are dropped.',
    standard: 'none',
  }).optional(),
  idle: duration(
    'After how much silence a client is pinged, where Limpet unwraps its frames; after a second one it is closed.',
    1_000,
  ).prefault('60s'),
});

export const bindWebSocketSchema: z.ZodType<RawBindWebSocket | false> = toggle(bindKeys, {
  type: 'mapping, or `true`',
  meaning: 'MQTT over WebSocket is spoken here.',
  standard: 'off',
});

const serverKeys: z.ZodType<{ readonly path: string }> = z.strictObject({
  path: path('The path that the server listens on.').prefault(PATH),
});

export const serverWebSocketSchema: z.ZodType<{ readonly path: string } | false> = toggle(serverKeys, {
  type: 'mapping, or `true`',
  meaning:
    "The address is the server's WebSocket listener: clients of WebSocket binds reach it with their own frames, " +
    'untouched. Without it they reach its plain MQTT listener, and Limpet unwraps their frames.',
  standard: 'off',
});
