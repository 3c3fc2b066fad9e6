import { z } from 'zod';
import { isHostName } from '../address.ts';
import { passwordFault } from '../password_hash.ts';
import type { AdminLevel } from '../resolved.ts';
import type { Reading } from '../units.ts';
import { type Labelled, listenAddress } from './bind.ts';
import { oneOrMore } from './list.ts';
import { level } from './runtime_api.ts';
import { bindTlsSchema, type RawBindTls } from './tls.ts';
import { duration, keyDoc, nameSchema, scalar, type Written } from './values.ts';

export interface RawStats {
  readonly bind: Labelled;
  readonly uri: string;
  readonly refresh: number;
  readonly users: Readonly<Record<string, RawStatsUser>>;
  readonly hosts?: readonly string[] | undefined;
  readonly tls?: RawBindTls | undefined;
}

export interface RawStatsUser {
  readonly password: string;
  readonly level: AdminLevel;
}

/** What is served beside the page. */
const TAKEN = /^\/(?:api|metrics|healthz|readyz)(?:\/|$)/;
const SEGMENTS = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+){1,8}$/;

function readUri(input: Written): Reading<string> {
  const uri = String(input);
  const remedy = 'Write a path that begins with /, of letters, digits and . _ ~ -: /stats.';
  if (!SEGMENTS.test(uri)) return { ok: false, message: '{value} is no path for a page', remedy };
  if (!TAKEN.test(uri)) return { ok: true, value: uri };
  return { ok: false, message: '{value} is served already: it is not the page', remedy: 'Write another path: /stats.' };
}

function readPassword(input: Written): Reading<string> {
  const fault = passwordFault(String(input));
  if (fault === null) return { ok: true, value: String(input) };
  return { ok: false, message: `{value} ${fault}`, remedy: 'Write the line that `limpet password` prints.' };
}

function readHost(input: Written): Reading<string> {
  const host = String(input).toLowerCase().replace(/\.$/, '');
  if (isHostName(host)) return { ok: true, value: host };
  return { ok: false, message: '{value} is no host name', remedy: 'Write a name without a port: lb1.example.com.' };
}

const BIND = 'Where to listen. An address that is not of this host alone wants `users`, and should have `tls`.';
const PASSWORD = 'The hash that `limpet password` prints. It is never shown.';
const HOSTS =
  'Names by which it may be asked, beside `localhost` and literal addresses. Others are refused, so that no web page of ' +
  'another site reaches it by a name of its own.';

const password = scalar('hash of a password', PASSWORD, readPassword);
const userKeys: z.ZodType<RawStatsUser> = z.strictObject({ password, level: level('user') });
const user: z.ZodType<RawStatsUser> = z.union([
  password.transform((hash): RawStatsUser => ({ password: hash, level: 'user' })),
  userKeys,
]);

const keys: z.ZodType<RawStats> = z.strictObject({
  bind: listenAddress(BIND),
  uri: scalar('path', 'Where the page is; its CSV is behind it at `;csv`.', readUri).prefault('/stats'),
  refresh: duration('How often the numbers on the page are new.', 1_000, 3_600_000).prefault('10s'),
  users: z
    .record(nameSchema, user)
    .meta(
      keyDoc('mapping of name to a hash, or to a mapping', {
        meaning: 'Who may look. Without any, everybody on this host may look, and nobody may act.',
        standard: 'none',
      }),
    )
    .prefault({}),
  hosts: oneOrMore(scalar('host name', HOSTS, readHost), 'host name, or a list of them', {
    meaning: HOSTS,
    standard: 'none',
  }).optional(),
  tls: bindTlsSchema.optional(),
});

const short = listenAddress(BIND).transform(bind => keys.parse({ bind: bind.label }));

/** `global.stats`. */
export const statsSchema: z.ZodType<RawStats> = z.union([short, keys]).meta(
  keyDoc('address:port, or a mapping', {
    meaning: 'The page, its CSV, `/metrics`, `/healthz`, `/readyz` and `/api/v1/`, over HTTP, or HTTPS with `tls`.',
    standard: 'off',
  }),
);
