import { isatty } from 'node:tty';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogConfig, LogLevel, LogTarget } from './config/resolved.ts';
import { errorCode, LimpetError } from './errors.ts';
import { jsonLine } from './log/json_line.ts';
import { LogWriter } from './log/log_writer.ts';
import { Sampler } from './log/sampler.ts';
import { type OpenTarget, openStdout, openTarget } from './log/target.ts';
import { unicodeEscape, withoutUnsafe } from './unsafe_text.ts';

export type LogValue = string | number | boolean | null | undefined;
export type LogFields = Readonly<Record<string, LogValue>>;

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
  /** Opens a file anew, after logrotate moved it away. Where that fails, the old one is written to, and the log says so. */
  reopen(): void;
  /** Writes what is waiting, before the process ends: within a second, or not at all. */
  flush(): Promise<void>;
}

/** For those whose news somebody else tells already. */
export const SILENT: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  line() {},
  format: 'json',
  reopen() {},
  async flush() {},
};

/** What to do where the target cannot be opened: the start of the program fails, a worker that is replaced must not. */
export type OnBroken = 'throw' | 'stdout';

/**
 * `who` is the worker's number, or `primary`. Each process opens the target by itself.
 * @throws LimpetError LOG_TARGET, LOG_DATAGRAMS, unless standard output shall do
 */
export function createLog(config: LogConfig, who: string, onBroken: OnBroken = 'throw'): Log {
  const { target, broken } = opened(config.target, onBroken);
  const out = new LogWriter({
    ...target,
    onDropped: lines => log.warn('log_dropped', { lines }, `${lines} log lines are lost: they could not be written`),
  });
  const tell = config.format === 'tcplog' ? plainTell(config, out, target) : pinoTell(config, out, target, who);
  const sampler = config.sample === null ? null : new Sampler(config.sample);
  const say =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}, message?: string): void => {
      const weight = sampler === null || !OF_CLIENTS.has(event) ? 1 : sampler.judge(event, performance.now()).weight;
      if (weight > 0) tell(level, event, weight === 1 ? fields : { ...fields, sampled: weight }, message);
    };
  const log: Log = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    line: lineWriter(config, sampler, (text, event) => out.write(target.wrap(`${text}\n`, 'info', event)), say('info')),
    format: config.format,
    reopen: () => {
      const error = target.way.reopen();
      if (error !== null) log.error('log_kept', { code: errorCode(error) }, KEPT);
    },
    flush: () => out.flush(),
  };
  if (broken !== null) log.error('log_kept', { code: broken.code, remedy: broken.remedy }, broken.message);
  return log;
}

const KEPT = 'the log file cannot be opened anew; lines go on to the old one';

/** The events of which there may be one for each client: only these are ever left out. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['connect', 'end', 'refused']);

function opened(target: LogTarget, onBroken: OnBroken): { target: OpenTarget; broken: LimpetError | null } {
  try {
    return { target: openTarget(target), broken: null };
  } catch (error) {
    if (onBroken === 'throw' || !(error instanceof LimpetError)) throw error;
    return { target: openStdout(), broken: error };
  }
}

type Tell = (level: LogLevel, event: string, fields: LogFields, message?: string) => void;

function pinoTell(config: LogConfig, out: LogWriter, { wrap }: OpenTarget, who: string): Tell {
  // pino writes before it returns, so this is what its line is about.
  let about: readonly [LogLevel, string] = ['info', ''];
  const shown = config.format === 'pretty' ? prettyLine(config.target.kind === 'stdout' && isatty(1)) : null;
  const options: pino.LoggerOptions = {
    level: config.level,
    base: { worker: who },
    timestamp: timeField,
    formatters: { level: label => ({ level: label }) },
  };
  // Not pino's own destination: it throws what goes wrong with it, and waits at the exit for a disk that is full.
  const logger = pino(options, { write: line => out.write(wrap(shown === null ? line : shown(line), ...about)) });
  // A child has its event in the text that its lines begin with: no line copies its fields to put the event before them.
  const children = new Map<string, pino.Logger>();
  const childOf = (event: string): pino.Logger => {
    const child = logger.child({ event });
    children.set(event, child);
    return child;
  };
  const worker = `,"worker":${JSON.stringify(who)}`;
  return (level, event, fields, message) => {
    if (shown === null && OF_CLIENTS.has(event)) {
      // Each client has two of these: pino took 5 to 7 µs for both, this takes 2 to 3.
      if (!isLogged(level, config.level)) return;
      const head = `{"level":"${level}"${timeField()}${worker},"event":"${event}"`;
      out.write(wrap(jsonLine(head, fields, message), level, event));
      return;
    }
    about = [level, event];
    (children.get(event) ?? childOf(event))[level](fields, message);
  };
}

let timeMs = 0;
let timeText = '';

/** pino's isoTime, made once a millisecond. */
function timeField(): string {
  const nowMs = Date.now();
  if (nowMs !== timeMs) {
    timeMs = nowMs;
    timeText = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return timeText;
}

function prettyLine(colorize: boolean): (line: string) => string {
  return pretty.prettyFactory({
    colorize,
    ignore: 'hostname,worker,event',
    messageFormat: '{worker} {event} {msg}',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
}

function plainTell(config: LogConfig, out: LogWriter, { wrap }: OpenTarget): Tell {
  return plain(config.level, (text, level, event) => out.write(wrap(text, level, event)));
}

/** HAProxy's lines have no room for `sampled`: how many were left out stands in a line of its own, a second later. */
function lineWriter(
  { format, level }: LogConfig,
  sampler: Sampler | null,
  write: (text: string, event: string) => void,
  say: (event: string, fields: LogFields) => void,
): (text: string) => void {
  if (format !== 'tcplog' || !isLogged('info', level)) return () => {};
  if (sampler === null) return text => write(text, 'tcplog');
  return text => {
    const { weight, leftOut } = sampler.judge('tcplog', performance.now());
    if (leftOut > 0) say('log_sampled', { left_out: leftOut });
    if (weight > 0) write(text, 'tcplog');
  };
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function isLogged(level: LogLevel, least: LogLevel): boolean {
  return ORDER.indexOf(level) >= ORDER.indexOf(least);
}

/** The lines beside HAProxy's own in the tcplog format: `event key=value … message`. */
function plain(least: LogLevel, write: (text: string, level: LogLevel, event: string) => void): Tell {
  return (level, event, fields, message) => {
    if (!isLogged(level, least)) return;
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : `${key}=${JSON.stringify(value)}`,
    );
    const parts = [level, event, message, ...pairs].filter(part => part !== undefined);
    write(`${parts.join(' ')}\n`, level, event);
  };
}

const LONGEST = 256;

/** Text from a client, safe to log as a JSON string in any terminal. Longer than 256 characters is cut, and says so. */
export function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
  return withoutUnsafe(short, unicodeEscape);
}
