import { z } from 'zod';
import type { TlsBindConfig, TlsServerConfig, TlsVersion } from '../resolved.ts';
import type { Reading } from '../units.ts';
import { oneOrMore } from './list.ts';
import { toggle } from './toggle.ts';
import { choice, duration, flag, integer, keyDoc, type Meaning, scalar, text, type Written } from './values.ts';

/** `global.tls`. */
export interface RawGlobalTls {
  readonly ticket_secret?: string | undefined;
  readonly ticket_rotate: number;
  readonly max_handshakes: number;
  readonly handshake_queue: number;
}

/** `tls` of a bind; paths as they are written. */
export interface RawBindTls {
  readonly cert: readonly string[];
  readonly key?: string | undefined;
  readonly client_ca?: string | undefined;
  readonly verify?: TlsBindConfig['verify'] | undefined;
  readonly crl?: string | undefined;
  readonly min_version: TlsVersion;
  readonly max_version: TlsVersion;
  readonly ciphers?: string | undefined;
  readonly curves?: string | undefined;
  readonly alpn: readonly string[];
  readonly strict_sni: boolean;
}

/** `tls` of a server; paths as they are written. */
export interface RawServerTls {
  readonly verify: TlsServerConfig['verify'];
  readonly ca?: string | undefined;
  readonly sni?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

const file = (meaning: Meaning): z.ZodType<string> => text(meaning, undefined, 'path');

const SECRET = {
  pattern: /^.{16,}$/su,
  remedy: 'Write at least 16 characters, as `openssl rand -base64 32` makes them, best from the environment.',
};
/** A ticket may be used for two periods, and RFC 8446 (4.6.1) gives one 7 days at most. */
const LONGEST_ROTATION_MS = 3 * 86_400_000;

export const globalTlsSchema: z.ZodType<RawGlobalTls> = z
  .strictObject({
    ticket_secret: text(
      'Encrypts the keys of session tickets in Redis, so that a client resumes on every proxy and after a restart: the ' +
        'same on all of them, at least 16 characters. It is never shown. Only with `store: redis`.',
      SECRET,
    ).optional(),
    ticket_rotate: duration(
      'How often a new ticket key is made. A ticket can be used for two such periods at least.',
      1_000,
      LONGEST_ROTATION_MS,
    ).prefault('12h'),
    max_handshakes: integer('TLS handshakes under way at once in each worker; the rest wait.', 1, 100_000).prefault(64),
    handshake_queue: integer(
      'Connections that wait for their handshake in each worker; those beyond are closed.',
      0,
      10_000_000,
    ).prefault(10_000),
  })
  .meta(keyDoc('mapping', 'What all binds with TLS share.'));

function readVersion(input: Written): Reading<TlsVersion> {
  const [, version] = /^(?:TLSv?)?(1\.\d)$/i.exec(String(input)) ?? [];
  if (version === '1.2' || version === '1.3') return { ok: true, value: `TLSv${version}` };
  const message = version === undefined ? '{value} is no version of TLS' : '{value} is not supported';
  return { ok: false, message, remedy: 'Write 1.2 or 1.3.' };
}

const version = (meaning: string): z.ZodType<TlsVersion> => scalar('`1.2`, `1.3`', meaning, readVersion);

const PROTOCOL = { pattern: /^[!-~]{1,255}$/, remedy: 'Write the name of a protocol: mqtt, or http/1.1.' };
const ALPN =
  'Protocols that are agreed on with clients that ask for one (`mqtt`, `http/1.1`), the preferred one first.';
const CERT =
  'PEM file of certificate, chain and key, or a folder of such files, or a list. Which one is used is chosen by the ' +
  'server name that the client asks for; the first is the default. A file that changes is loaded while Limpet runs.';

export const bindTlsSchema: z.ZodType<RawBindTls> = z
  .strictObject({
    cert: oneOrMore(file(CERT), 'path, or a list of paths', CERT),
    key: file('The key of the certificate, where it is in a file of its own. With one `cert` only.').optional(),
    client_ca: file('PEM file of the authorities that sign the certificates of clients.').optional(),
    verify: choice(
      {
        meaning:
          'Whether clients need a certificate. `optional`: one that is sent must be good. Whatever is not `none` wants ' +
          '`client_ca`.',
        standard: '`required` with `client_ca`, else `none`',
      },
      ['none', 'optional', 'required'],
    ).optional(),
    crl: file('PEM file of revoked certificates of clients.').optional(),
    min_version: version('The oldest version of TLS.').prefault('1.2'),
    max_version: version('The newest version of TLS.').prefault('1.3'),
    ciphers: text({ meaning: "OpenSSL's list of ciphers, and suites of TLS 1.3.", standard: "Node's" }).optional(),
    curves: text({ meaning: "OpenSSL's list of curves: `X25519:P-256`.", standard: "Node's" }).optional(),
    alpn: oneOrMore(text(ALPN, PROTOCOL, 'name of a protocol'), 'name, or a list of names', {
      meaning: ALPN,
      standard: 'none',
    })
      .optional()
      .transform(names => names ?? []),
    strict_sni: flag('Whether clients that ask for an unknown server name, or for none, are refused.').prefault(false),
  })
  .meta(keyDoc('mapping', 'TLS is spoken here.'));

const serverTlsKeys: z.ZodType<RawServerTls> = z.strictObject({
  verify: choice('Whether the certificate of the server is checked.', ['none', 'required']).prefault('required'),
  ca: file({ meaning: 'PEM file of the authorities that sign it.', standard: "the system's" }).optional(),
  sni: text({
    meaning: 'The name that is asked for, and that the certificate must have.',
    standard: 'the host name',
  }).optional(),
  cert: file('PEM file of our own certificate, for servers that want one, with its chain and key.').optional(),
  key: file('The key of our own certificate, where it is in a file of its own.').optional(),
});

export const serverTlsSchema: z.ZodType<RawServerTls | false> = toggle(serverTlsKeys, {
  type: 'mapping, or `true`',
  meaning:
    "TLS is spoken with the server, and by its checks on the server's own port. A port that is left out is then 8883.",
  standard: 'off',
});
