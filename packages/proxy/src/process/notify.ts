import { execFile } from 'node:child_process';
import { errorCode } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * Comes with systemd wherever that runs. Node has no datagrams on unix sockets, and the optional package that the log
 * uses for them is not everywhere. It speaks from a process of its own, so the unit needs NotifyAccess=all.
 */
const PROGRAM = 'systemd-notify';
/** It waits up to 5 s by itself, until the service manager has read what was said. */
const DEADLINE_MS = 10_000;
/** So long the last words may take at the end. */
const CLOSE_MS = 2_000;
/** Messages that wait: more are worth nothing by the time they are said. */
const MOST_WAITING = 16;
/** How often `systemctl status` gets a new line without a watchdog. */
const STATUS_MS = 30_000;
const LONGEST_STATUS = 200;

/** What of the environment says whether, and how, somebody wants to be told. */
export interface ServiceManager {
  /** A path, or `@` and an abstract name. */
  readonly socket: string;
  /** A sign of life is wanted within this time, milliseconds; null: none is. */
  readonly watchdogMs: number | null;
}

/** Null: nobody wants to be told. `pid` is the process that would answer the watchdog. */
export function serviceManagerOf(env: NodeJS.ProcessEnv, pid: number): ServiceManager | null {
  const socket = env.NOTIFY_SOCKET;
  if (socket === undefined || socket === '') return null;
  const usec = /^[0-9]{1,15}$/.test(env.WATCHDOG_USEC ?? '') ? Number(env.WATCHDOG_USEC) : 0;
  const isMeant = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === '' || env.WATCHDOG_PID === String(pid);
  return { socket, watchdogMs: usec > 0 && isMeant ? usec / 1000 : null };
}

export interface NotifierOptions {
  readonly manager: ServiceManager | null;
  readonly log: Log;
  /** One line for `systemctl status`, asked for at every sign of life. No text of clients. */
  readonly status: () => string;
}

/** Every message, and whether a newer one of its kind makes it needless. */
interface Message {
  readonly assignments: readonly string[];
  readonly isBeat: boolean;
}

/**
 * Tells the service manager (systemd, Type=notify) how the proxy is. Does nothing where nobody asked for it. Messages go
 * out one after the other, in the order of the calls. What cannot be told is logged once, and stops nothing.
 */
export class Notifier {
  readonly #manager: ServiceManager | null;
  readonly #log: Log;
  readonly #status: () => string;
  readonly #waiting: Message[] = [];
  readonly #killer = new AbortController();
  #sending: Promise<void> | null = null;
  #beat: NodeJS.Timeout | null = null;
  #toldStatus = '';
  #failed = false;
  #closed = false;

  constructor({ manager, log, status }: NotifierOptions) {
    this.#manager = manager;
    this.#log = log;
    this.#status = status;
  }

  /** It serves: after the start, and after a reload, also one that failed. From now on there are signs of life. */
  ready(): void {
    if (this.#manager === null) return;
    this.#say(['READY=1', ...this.#newStatus()]);
    this.#startBeat();
  }

  /** A reload begins; ready() ends it. */
  reloading(): void {
    const nowUs = process.hrtime.bigint() / 1000n;
    this.#say(['RELOADING=1', `MONOTONIC_USEC=${nowUs}`, this.#statusOf('reloading')]);
  }

  /** It stops, and will be gone after `withinMs`: the manager waits that long even where its own limit is shorter. */
  stopping(withinMs: number): void {
    const us = Math.ceil(withinMs) * 1000;
    this.#say(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${us}`, this.#statusOf('stopping: no new clients')]);
  }

  /** Another process is the service now: a successor, or this one again. */
  mainPid(pid: number): void {
    this.#say([`MAINPID=${pid}`]);
  }

  /** Says what waits, for 2 s at most, and then no more. May be called twice. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#beat !== null) clearInterval(this.#beat);
    const late = setTimeout(() => this.#killer.abort(), CLOSE_MS);
    await this.#sending;
    clearTimeout(late);
  }

  #startBeat(): void {
    if (this.#beat !== null || this.#closed) return;
    const watchdogMs = this.#manager?.watchdogMs ?? Infinity;
    // At half of the time, as systemd's documentation asks.
    this.#beat = setInterval(() => this.#beatOnce(), Math.min(watchdogMs / 2, STATUS_MS));
    this.#beat.unref();
  }

  #beatOnce(): void {
    if (this.#waiting.some(({ isBeat }) => isBeat)) return;
    const alive = this.#manager?.watchdogMs === null ? [] : ['WATCHDOG=1'];
    const assignments = [...alive, ...this.#newStatus()];
    if (assignments.length > 0) this.#say(assignments, true);
  }

  #newStatus(): readonly string[] {
    const before = this.#toldStatus;
    const status = this.#statusOf(this.#status());
    return status === before ? [] : [status];
  }

  #statusOf(text: string): string {
    this.#toldStatus = `STATUS=${text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, LONGEST_STATUS)}`;
    return this.#toldStatus;
  }

  #say(assignments: readonly string[], isBeat = false): void {
    if (this.#manager === null || this.#closed || this.#waiting.length >= MOST_WAITING) return;
    this.#waiting.push({ assignments, isBeat });
    this.#sending ??= this.#sendAll(this.#manager.socket);
  }

  async #sendAll(socket: string): Promise<void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined || this.#killer.signal.aborted) break;
      const failure = await send(socket, next.assignments, this.#killer.signal);
      if (failure !== null) this.#fail(failure);
    }
    this.#sending = null;
  }

  #fail(reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    const message = `systemd cannot be told how Limpet is: ${reason}. Is ${PROGRAM} installed, and NotifyAccess=all set?`;
    this.#log.warn('notify_failed', { reason }, message);
  }
}

/** Answers null, or what went wrong. */
function send(socket: string, assignments: readonly string[], signal: AbortSignal): Promise<string | null> {
  // Nothing else of the environment is its business.
  const env = { NOTIFY_SOCKET: socket, PATH: process.env.PATH ?? '/usr/bin:/bin' };
  const options = { env, timeout: DEADLINE_MS, killSignal: 'SIGKILL', signal, maxBuffer: 4096 } as const;
  return new Promise(resolve => {
    execFile(PROGRAM, assignments, options, (error, _said, complaint) => {
      if (error === null) resolve(null);
      else if (error.killed || signal.aborted) resolve('no answer in time');
      else resolve(complaint.trim().split('\n')[0] || errorCode(error));
    });
  });
}
