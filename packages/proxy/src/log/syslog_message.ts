import type { LogLevel } from '../config/resolved.ts';
import { SYSLOG_FACILITIES } from '../config/syslog_address.ts';

/** RFC 5424, table 2. */
const SEVERITIES: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** What stays the same in all messages of one process. */
export interface SyslogSource {
  readonly facility: string;
  readonly tag: string;
  readonly hostname: string;
  readonly pid: number;
}

/** A field of the header: printable ASCII without spaces, so long at most, or `-` (RFC 5424, 6). */
function field(text: string, longest: number): string {
  return text.replace(/[^!-~]/g, '').slice(0, longest) || '-';
}

/**
 * RFC 5424: `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID - MSG`. MSGID is the event. The message has no byte order
 * mark: what reads JSON would stumble over it.
 */
export function syslogMessage(source: SyslogSource, level: LogLevel, event: string, at: Date, line: string): string {
  const facility = Math.max(0, SYSLOG_FACILITIES.indexOf(source.facility));
  const header = [
    `<${facility * 8 + SEVERITIES[level]}>1`,
    at.toISOString(),
    field(source.hostname, 255),
    field(source.tag, 48),
    String(source.pid),
    field(event, 32),
    '-',
  ];
  return `${header.join(' ')} ${line.trimEnd().replaceAll('\n', ' ')}`;
}

/** How it is told where a message ends. `octets`: RFC 6587, 3.4.1, on TCP. `lines`: 3.4.2; datagrams are made of these. */
export type Framing = 'octets' | 'lines';

/** One message with its frame. */
export function frame(message: string, framing: Framing): string {
  return framing === 'octets' ? `${Buffer.byteLength(message)} ${message}` : `${message}\n`;
}
