import { fstatSync } from 'node:fs';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogConfig, LogLevel } from './config/resolved.ts';

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
  /** A line as it is, in the `tcplog` format; not written in the others. */
  line(text: string): void;
  readonly format: LogConfig['format'];
  /** Writes what is waiting, before the process ends. */
  flush(): void;
}

/** One system call for many lines: they wait for others, but not for long. */
const FLUSH_EVERY_MS = 50;
const CHUNK_BYTES = 32_768;
/** What the kernel takes from several writers of one pipe without mixing them (PIPE_BUF). */
const PIPE_CHUNK_BYTES = 4096;
/** What may wait for a reader that does not read; the lines that follow are counted, and lost. */
const MOST_BYTES = 4 * 1024 * 1024;

/** For those whose news somebody else tells already. */
export const SILENT: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  line() {},
  format: 'json',
  flush() {},
};

/** `who` is the worker's number, or `primary`. Lines go to standard output. */
export function createLog(config: LogConfig, who: string): Log {
  const maxWrite = fstatSync(1).isFile() ? CHUNK_BYTES : PIPE_CHUNK_BYTES;
  const destination = pino.destination({
    fd: 1,
    sync: false,
    minLength: maxWrite / 2,
    maxWrite,
    maxLength: MOST_BYTES,
  });
  const timer = setInterval(() => destination.flush(), FLUSH_EVERY_MS);
  timer.unref();
  const write = config.format === 'tcplog' ? plain(config.level, text => destination.write(text)) : null;
  const stream = config.format === 'pretty' ? prettyStream(destination) : destination;
  const logger = pino(
    {
      level: config.level,
      base: { worker: who },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    stream,
  );
  const say =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}, message?: string): void => {
      if (write !== null) write(level, event, fields, message);
      else logger[level]({ event, ...fields }, message);
    };
  tellDropped(destination, lines =>
    say('warn')('log_dropped', { lines }, `${lines} log lines are lost: nobody read them`),
  );
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    line: text => void destination.write(`${text}\n`),
    format: config.format,
    flush: () => flushNow(destination),
  };
}

type Destination = ReturnType<typeof pino.destination>;

/** Says how many lines were lost, as soon as there is somebody again who reads. */
function tellDropped(destination: Destination, tell: (lines: number) => void): void {
  let dropped = 0;
  destination.on('drop', () => {
    dropped += 1;
  });
  destination.on('drain', () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    tell(lines);
  });
}

function prettyStream(destination: pino.DestinationStream): ReturnType<typeof pretty> {
  return pretty({
    destination,
    colorize: process.stdout.isTTY,
    ignore: 'hostname,worker,event',
    messageFormat: '{worker} {event} {msg}',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The lines beside HAProxy's own in the tcplog format: `event key=value … message`. */
function plain(least: LogLevel, write: (text: string) => void) {
  return (level: LogLevel, event: string, fields: LogFields, message?: string): void => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : `${key}=${JSON.stringify(value)}`,
    );
    write(`${[level, event, message, ...pairs].filter(part => part !== undefined).join(' ')}\n`);
  };
}

function flushNow(destination: { flushSync(): void }): void {
  try {
    destination.flushSync();
  } catch {
    // Standard output is gone or full: there is nobody left to tell.
  }
}

/** Control characters that JSON leaves as they are and terminals act on, and marks that turn the reading direction. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const LONGEST = 256;

/** Text from a client, safe to log as a JSON string in any terminal. Longer than 256 characters is cut, and says so. */
export function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
  return short.replace(UNSAFE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
