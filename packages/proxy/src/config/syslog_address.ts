import { readServer } from './address.ts';
import type { LogTarget } from './resolved.ts';
import type { Reading } from './units.ts';

/** How a syslog server is reached. */
export type SyslogTransport = Extract<LogTarget, { kind: 'syslog' }>['transport'];

/** RFC 5424, table 1, in the order of their numbers; 12 to 15 have no name that all agree on. */
export const SYSLOG_FACILITIES: readonly string[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'clock'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];

const REMEDY = 'Write /dev/log, udp://10.0.0.9:514 or tcp://10.0.0.9:601.';
/** RFC 5426 and RFC 3195; the latter is what receivers of RFC 6587 listen on. */
const PORTS = { udp: 514, tcp: 601 } as const;

/** A path as it is written, or host and port. */
export function readSyslogAddress(input: string | number | boolean): Reading<SyslogTransport> {
  const text = String(input).trim();
  const [, kind, rest = ''] = /^(udp|tcp):\/\/(.*)$/s.exec(text) ?? [];
  if (kind !== 'udp' && kind !== 'tcp') {
    if (text.includes('/') && !text.includes('://')) return { ok: true, value: { kind: 'unix', path: text } };
    return { ok: false, message: '{value} is neither a path nor udp:// or tcp://', remedy: REMEDY };
  }
  const reading = readServer(rest);
  if (!reading.ok) return { ok: false, message: reading.message, remedy: REMEDY };
  const { host, port } = reading.value;
  return { ok: true, value: { kind, host, port: port ?? PORTS[kind] } };
}
