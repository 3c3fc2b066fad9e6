import { z } from 'zod';
import type { LogConfig } from '../resolved.ts';
import { readSyslogAddress, SYSLOG_FACILITIES, type SyslogTransport } from '../syslog_address.ts';
import { rate } from './rate.ts';
import { choice, flag, integer, keyDoc, scalar, text } from './values.ts';

export interface RawLog extends Pick<LogConfig, 'level' | 'format' | 'usernames' | 'sample'> {
  readonly target: RawLogTarget;
}

/** A path as it is written; a mapping has one of the two keys, which is looked at later. */
export type RawLogTarget = 'stdout' | { readonly file?: string | undefined; readonly syslog?: RawSyslog | undefined };

export interface RawSyslog {
  readonly address: SyslogTransport;
  readonly facility: string;
  readonly tag: string;
}

/** RFC 5424, 6.2.5, without what would need quotes. */
const TAG = {
  pattern: /^[A-Za-z0-9_.-]{1,48}$/,
  remedy: 'Write 1 to 48 letters, digits, and the characters _ . and -.',
};

const syslog: z.ZodType<RawSyslog> = z
  .strictObject({
    address: scalar(
      'path or URL',
      'A unix socket (datagram or stream), `udp://host:514` or `tcp://host:601`, which are the ports if they are left out.',
      readSyslogAddress,
    ).prefault('/dev/log'),
    facility: choice('The facility of all lines; their severity is that of their level.', SYSLOG_FACILITIES).prefault(
      'daemon',
    ),
    tag: text('The name of the program in the lines (APP-NAME).', TAG).prefault('limpet'),
  })
  .meta(keyDoc('mapping', 'A syslog server, in the format of RFC 5424. Not with `format: pretty`.'));

const TARGET =
  'Where lines go. `stdout`; or `{ file: PATH }`, which is written to by all processes and opened anew at SIGUSR1; or ' +
  '`{ syslog: { address: … } }`.';

const target: z.ZodType<RawLogTarget> = z
  .union([
    choice(TARGET, ['stdout']),
    z.strictObject({
      file: text(
        'A file that lines are appended to. Its folder must be there. A relative path begins at the folder of the ' +
          'configuration file.',
        undefined,
        'path',
      ).optional(),
      syslog: syslog.optional(),
    }),
  ])
  .meta(keyDoc('`stdout`, or a mapping', TARGET));

const sample: z.ZodType<NonNullable<LogConfig['sample']>> = z
  .strictObject({
    above: rate('Up to this many lines of one event, all are written; each process counts for itself.'),
    keep: integer('Of the lines beyond, one in so many is written, and says so (`sampled`).', 2, 1_000_000).prefault(
      100,
    ),
  })
  .meta(
    keyDoc('mapping', {
      meaning:
        'Thins out floods: only the lines of clients (`connect`, `end`, `refused`, and those of `tcplog`) are left out; ' +
        'what concerns servers and Limpet itself is always written.',
      standard: 'none is left out',
    }),
  );

/** `global.log`. */
export const logSchema: z.ZodType<RawLog> = z
  .strictObject({
    level: choice('The least important lines that are written.', ['debug', 'info', 'warn', 'error']).prefault('info'),
    format: choice(
      '`json`: one object a line. `pretty`: for people. `tcplog`: the line of HAProxy, for tools that read it.',
      ['json', 'pretty', 'tcplog'],
    ).prefault('json'),
    usernames: flag('Whether the user names of clients are logged. Passwords never are.').prefault(false),
    target: target.prefault('stdout'),
    sample: sample.optional(),
  })
  .transform((log): RawLog => ({ ...log, sample: log.sample ?? null }))
  .meta(keyDoc('mapping', 'What is logged, how, and where to.'));
