import { z } from 'zod';
import { type HostAndPort, isLoopback, readBind } from '../address.ts';
import type { AdminLevel } from '../resolved.ts';
import type { Reading } from '../units.ts';
import { choice, duration, keyDoc, scalar, type Written } from './values.ts';

/** Where a runtime API listens; a path as it is written. */
type RuntimeAddress =
  | { readonly label: string; readonly kind: 'unix'; readonly path: string }
  | ({ readonly label: string; readonly kind: 'tcp' } & HostAndPort);

export interface RawRuntimeApi {
  readonly address: RuntimeAddress;
  readonly mode?: number | undefined;
  readonly user?: string | number | undefined;
  readonly group?: string | number | undefined;
  readonly level?: AdminLevel | undefined;
  readonly timeout: number;
}

const REMEDY = 'Write the path of a socket, /run/limpet/limpet.sock, or a port of this host, 127.0.0.1:9999.';
const FAR =
  'Write 127.0.0.1 or a path; from other hosts reach it through ssh, or use `global.stats` with `users` and `tls`.';

function readAddress(input: Written): Reading<RuntimeAddress> {
  const label = String(input).trim();
  if (/^(?:unix|ipv[46]|fd|abns)@/.test(label)) {
    return { ok: false, message: '{value} has a prefix of HAProxy', remedy: `Leave it out. ${REMEDY}` };
  }
  if (/\s/.test(label)) {
    const remedy =
      'Write them as keys of their own: { address: /run/limpet/limpet.sock, mode: "0660", level: operator }.';
    return { ok: false, message: '{value} has words behind the address', remedy };
  }
  if (/\/|\.sock$/.test(label)) return { ok: true, value: { label, kind: 'unix', path: label } };
  const reading = readBind(input);
  if (!reading.ok) return { ok: false, message: reading.message, remedy: REMEDY };
  if (isLoopback(reading.value.host)) return { ok: true, value: { label, kind: 'tcp', ...reading.value } };
  const message = '{value} can be reached from other hosts, and whoever reaches it may operate this proxy';
  return { ok: false, message, remedy: FAR };
}

/** Permission bits as chmod(1) has them. YAML makes a number of 0660, whose digits are still these. */
function readMode(input: Written): Reading<number> {
  if (/^0?[67][0-7]{2}$/.test(String(input))) return { ok: true, value: Number.parseInt(String(input), 8) };
  return {
    ok: false,
    message: '{value} is no mode of a socket',
    remedy: 'Write the digits that chmod takes, in quotes: "0600" or "0660".',
  };
}

function readOwner(input: Written): Reading<string | number> {
  const name = String(input);
  if (/^\d{1,9}$/.test(name)) return { ok: true, value: Number(name) };
  if (/^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/.test(name)) return { ok: true, value: name };
  return {
    ok: false,
    message: '{value} is no name and no number',
    remedy: 'Write a name of this host, or its number.',
  };
}

const ADDRESS =
  'The path of a unix socket, or a port of a loopback address. A relative path begins at the folder of the file. A folder in ' +
  'which everybody may replace files is refused.';
const TIMEOUT =
  'After how much silence a connection is closed. Only one of level `admin` may ask for more (`set timeout cli`).';
const LEVELS: readonly AdminLevel[] = ['user', 'operator', 'admin'];

const LEVEL =
  'What is allowed. `user`: look, but at no client. `operator`: see clients too, and operate servers. `admin`: everything.';

/** What one who comes this way may do. */
export function level(standard: AdminLevel): z.ZodType<AdminLevel> {
  return choice(LEVEL, LEVELS).prefault(standard);
}

const api: z.ZodType<RawRuntimeApi> = z.strictObject({
  address: scalar('path, or address:port', ADDRESS, readAddress),
  mode: scalar('digits of chmod', { meaning: 'Who may use the unix socket.', standard: '`0600`' }, readMode).optional(),
  user: scalar(
    'name or number',
    { meaning: 'The owner of the unix socket.', standard: "the process's" },
    readOwner,
  ).optional(),
  group: scalar(
    'name or number',
    { meaning: 'The group of the unix socket.', standard: "the process's" },
    readOwner,
  ).optional(),
  // Every user of this host reaches a TCP port, and only its owner a socket of mode 0600.
  level: choice({ meaning: LEVEL, standard: '`admin` for a path, `operator` for a port' }, LEVELS).optional(),
  timeout: duration(TIMEOUT).prefault('10s'),
});

const short = scalar('path, or address:port', ADDRESS, readAddress).transform(address =>
  api.parse({ address: address.label }),
);
const one: z.ZodType<RawRuntimeApi> = z.union([short, api]);

/** `global.runtime_api`. */
export const runtimeApiSchema: z.ZodType<readonly RawRuntimeApi[]> = z
  .union([one.transform(only => [only]), z.array(one).min(1)])
  .meta(
    keyDoc('path, address:port, a mapping, or a list of them', {
      meaning: 'Sockets that understand the commands of HAProxy, and that the commands of `limpet` use.',
      standard: 'none',
    }),
  );
