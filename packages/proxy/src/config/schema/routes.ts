import { z } from 'zod';
import { readExpression } from '../pattern.ts';
import type { RefuseWord } from '../resolved.ts';
import type { Reading } from '../units.ts';
import { networks } from './access.ts';
import { oneOrMore } from './list.ts';
import { choice, keyDoc, NAME, scalar, text, type Written } from './values.ts';

/** What a text field is compared with: any of them is enough. */
export interface RawMatcher {
  readonly exact?: readonly string[] | undefined;
  readonly prefix?: readonly string[] | undefined;
  readonly regex?: readonly string[] | undefined;
}

/** Fields of which a rule looks at the text. */
export type TextField = 'client_id' | 'username' | 'sni' | 'path' | 'cert_cn';

export interface RawWhen extends Readonly<Partial<Record<TextField, RawMatcher | undefined>>> {
  readonly source?: readonly string[] | undefined;
  readonly version?: readonly ProtocolVersion[] | undefined;
}

export interface RawRoute {
  readonly when: RawWhen;
  readonly backend?: string | undefined;
  readonly refuse?: RefuseWord | undefined;
}

/** As rules are written and as they are compared. */
export type ProtocolVersion = '3.1' | '3.1.1' | '5.0';

const EXACT = 'The value, or one of a list.';
const EXACT_RULE = { pattern: /^[^\0]*$/s, remedy: 'Write the value without a NUL.' };
const PREFIX = 'What the value begins with, or one of a list.';
const REGEX =
  'A regular expression, or one of a list, that matches somewhere in the value; `^` and `$` stand for its ends. ' +
  'Values of more than 1,024 characters match none. No look-around, no back-reference, no repeated group that varies.';

const exact = oneOrMore(text(EXACT, EXACT_RULE), 'text, or a list', EXACT);

const matcherKeys: z.ZodType<RawMatcher> = z.strictObject({
  exact: exact.optional(),
  prefix: oneOrMore(text(PREFIX), 'text, or a list', PREFIX).optional(),
  regex: oneOrMore(
    scalar('regular expression', REGEX, readExpression),
    'regular expression, or a list',
    REGEX,
  ).optional(),
});

const matcher = (meaning: string): z.ZodType<RawMatcher> =>
  z
    .union([exact.transform(values => ({ exact: values })), matcherKeys])
    .meta(keyDoc('text, a list, or a mapping', meaning));

function readProtocolVersion(input: Written): Reading<ProtocolVersion> {
  const written = String(input);
  if (written === '3.1' || written === '3.1.1') return { ok: true, value: written };
  // YAML makes the number 5 of 5.0.
  if (written === '5' || written === '5.0') return { ok: true, value: '5.0' };
  return { ok: false, message: '{value} is no version of MQTT', remedy: 'Write 3.1, 3.1.1 or 5.0.' };
}

const VERSION = 'The version of MQTT.';

const when: z.ZodType<RawWhen> = z
  .strictObject({
    client_id: matcher('The client id; `""` is that of a client which leaves it to the server.').optional(),
    username: matcher('The user name.').optional(),
    sni: matcher('The server name that the client asked for in TLS, in lower case.').optional(),
    path: matcher('The path of the WebSocket.').optional(),
    cert_cn: matcher('The common name of the certificate of the client.').optional(),
    source: networks('Where the client comes from.').optional(),
    version: oneOrMore(
      scalar('version', VERSION, readProtocolVersion),
      '`3.1`, `3.1.1`, `5.0`, or a list',
      VERSION,
    ).optional(),
  })
  .meta(
    keyDoc(
      'mapping',
      'Conditions that must all hold. A field that the client does not have fulfils none. `{}` always holds.',
    ),
  );

const WORDS: readonly RefuseWord[] = [
  'not_authorized',
  'banned',
  'server_unavailable',
  'busy',
  'quota',
  'identifier_rejected',
];

const route: z.ZodType<RawRoute> = z.strictObject({
  when,
  backend: text('Where its clients go.', NAME, 'name of a backend').optional(),
  refuse: choice('What its clients are told instead, in the CONNACK.', WORDS).optional(),
});

const ROUTES = 'Rules that are tried in their order; the first whose conditions hold decides. `mode: mqtt` only.';

export const routesSchema: z.ZodType<readonly RawRoute[]> = z
  .array(route)
  .min(1)
  .meta(keyDoc('list of mappings', { meaning: ROUTES, standard: 'none' }));

export const sniRoutesSchema: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), text('The backend.', NAME, 'name of a backend'))
  .meta(
    keyDoc('mapping of host name to backend', {
      meaning:
        'The backend by the server name in the ClientHello, which is read and passed on untouched. `*.example.com` is any ' +
        'one label before it; exact names go first. `mode: tcp` only, without `tls` on the binds.',
      standard: 'none',
    }),
  );
