import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogConfig, LogLevel } from './config/resolved.ts';
import { LogWriter } from './log_writer.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * The log of one process. `event` is the stable word to filter by. Text that came from a client goes into fields, never
 * into the message, and through printable() first.
 */
export interface Log {
  debug(event: string, fields?: LogFields, message?: string): void;
  info(event: string, fields?: LogFields, message?: string): void;
  warn(event: string, fields?: LogFields, message?: string): void;
  error(event: string, fields?: LogFields, message?: string): void;
  /** A line as it is, in the `tcplog` format and from level `info` on; not written in the others. */
  line(text: string): void;
  readonly format: LogConfig['format'];
  /** Writes what is waiting, before the process ends: within a second, or not at all. */
  flush(): Promise<void>;
}

/** What one system call takes: a file, and what the kernel takes from several writers of one pipe unmixed (PIPE_BUF). */
const CHUNK_BYTES = 32_768;
const PIPE_CHUNK_BYTES = 4096;

/** For those whose news somebody else tells already. */
export const SILENT: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  line() {},
  format: 'json',
  async flush() {},
};

/** `who` is the worker's number, or `primary`. Lines go to standard output. */
export function createLog(config: LogConfig, who: string): Log {
  const out = new LogWriter({
    fd: 1,
    chunkBytes: fstatSync(1).isFile() ? CHUNK_BYTES : PIPE_CHUNK_BYTES,
    onDropped: lines => say('warn')('log_dropped', { lines }, `${lines} log lines are lost: they could not be written`),
  });
  const write = config.format === 'tcplog' ? plain(config.level, text => out.write(text)) : null;
  const logger = pino(
    {
      level: config.level,
      base: { worker: who },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    // Not pino's own destination: it throws what goes wrong with it, and waits at the exit for a disk that is full.
    config.format === 'pretty' ? prettyStream(out) : out,
  );
  const say =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}, message?: string): void => {
      if (write !== null) write(level, event, fields, message);
      else logger[level]({ event, ...fields }, message);
    };
  const areLinesWanted = config.format === 'tcplog' && isLogged('info', config.level);
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    line: text => {
      if (areLinesWanted) out.write(`${text}\n`);
    },
    format: config.format,
    flush: () => out.flush(),
  };
}

function prettyStream(out: LogWriter): pino.DestinationStream {
  const prettify = pretty.prettyFactory({
    colorize: isatty(1),
    ignore: 'hostname,worker,event',
    messageFormat: '{worker} {event} {msg}',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: line => out.write(prettify(line)) };
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function isLogged(level: LogLevel, least: LogLevel): boolean {
  return ORDER.indexOf(level) >= ORDER.indexOf(least);
}

/** The lines beside HAProxy's own in the tcplog format: `event key=value … message`. */
function plain(least: LogLevel, write: (text: string) => void) {
  return (level: LogLevel, event: string, fields: LogFields, message?: string): void => {
    if (!isLogged(level, least)) return;
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : `${key}=${JSON.stringify(value)}`,
    );
    write(`${[level, event, message, ...pairs].filter(part => part !== undefined).join(' ')}\n`);
  };
}

/** Control characters that JSON leaves as they are and terminals act on, and marks that turn the reading direction. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const LONGEST = 256;

/** Text from a client, safe to log as a JSON string in any terminal. Longer than 256 characters is cut, and says so. */
export function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
  return short.replace(UNSAFE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
