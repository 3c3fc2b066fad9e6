import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { errorCode } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { Silence } from './silence.ts';
import { BEAT_MS, type ToPrimary, type ToWatchdog, WordReader } from './watchdog_wire.ts';

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** It is small, and has no use for V8's helper threads. */
const OPTIONS = ['--max-old-space-size=16', '--v8-pool-size=0', '--no-warnings'];
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** One that lived so long did not die of its start. */
const SETTLED_MS = 10_000;
/** How long stop() waits for its end. */
const END_MS = 500;

export interface WatchdogEvents {
  /** It has written `1`: what is wrong; null: all is well again. */
  fault(fault: string | null): void;
}

/**
 * The watchdog as the primary has it: a process of its own, in its own session, that writes `1` into the track file when
 * this one is dead or frozen. One that dies is replaced, and one that does not answer is killed.
 */
export class Watchdog {
  readonly #trackFile: string;
  readonly #log: Log;
  readonly #events: WatchdogEvents;
  #child: Child | null = null;
  #workers: readonly number[] = [];
  #beat: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;
  #silence: Silence = new Silence();
  #startedMs = 0;
  #deaths = 0;
  #isArmed = false;
  #ended = false;

  constructor(trackFile: string, log: Log, events: WatchdogEvents) {
    this.#trackFile = trackFile;
    this.#log = log;
    this.#events = events;
  }

  /** Starts it; it does nothing before arm(). Resolves when it has begun, or has died; then another one follows. */
  start(): Promise<void> {
    this.#beat = setInterval(() => this.#tick(), BEAT_MS);
    return this.#launch();
  }

  /** The file is this process's from now on. May be called twice. */
  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#say(['watch', process.pid, this.#trackFile]);
  }

  /** These processes serve. */
  watch(workers: readonly number[]): void {
    if (workers.join() === this.#workers.join()) return;
    this.#workers = workers;
    this.#say(['workers', workers]);
  }

  /** It ends, `write`: after it has written `1`. Resolves when it is gone, or after half a second. May be called twice. */
  async stop(write: boolean): Promise<void> {
    const child = this.#child;
    this.#ended = true;
    if (this.#beat !== null) clearInterval(this.#beat);
    if (this.#again !== null) clearTimeout(this.#again);
    if (child === null) return;
    const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
    this.#say(['end', write]);
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await gone;
    clearTimeout(late);
  }

  #tick(): void {
    const child = this.#child;
    if (child === null) return;
    // One that reads nothing is not told more and more.
    if (!child.stdin.writableNeedDrain) this.#say(['beat']);
    // Its end is heard of like any other.
    if (this.#silence.isTooLong(BEAT_MS)) child.kill('SIGKILL');
  }

  #launch(): Promise<void> {
    this.#startedMs = performance.now();
    this.#silence = new Silence();
    return new Promise(resolve => {
      const child = launch();
      this.#child = child;
      const reader = new WordReader<ToPrimary>();
      child.stdout.on('data', (chunk: Buffer) => {
        this.#silence.broken();
        for (const message of reader.push(chunk)) {
          if (message[0] === 'hello') resolve();
          else if (message[0] === 'fault') this.#events.fault(message[1]);
        }
      });
      for (const stream of [child.stdin, child.stdout]) stream.on('error', () => {});
      let isOver = false;
      const over = (how: string): void => {
        if (!isOver) this.#over(how);
        isOver = true;
        resolve();
      };
      child.on('error', error => over(errorCode(error)));
      const silence = this.#silence;
      child.on('exit', (code, signal) => over(silence.complaint ?? signal ?? `exit code ${code}`));
      if (this.#isArmed) this.#say(['watch', process.pid, this.#trackFile]);
      this.#say(['workers', this.#workers]);
    });
  }

  #over(how: string): void {
    this.#child = null;
    if (this.#ended) return;
    this.#deaths = performance.now() - this.#startedMs >= SETTLED_MS ? 0 : this.#deaths + 1;
    const delayMs = this.#deaths <= 1 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#deaths - 2));
    this.#log.error('watchdog_died', { how }, `the watchdog died (${how}) and is started again`);
    // What it had found is looked at anew.
    this.#events.fault(null);
    this.#again = setTimeout(() => void this.#launch(), delayMs);
  }

  #say(message: ToWatchdog): void {
    const stdin = this.#child?.stdin;
    if (stdin?.writable) stdin.write(`${JSON.stringify(message)}\n`);
  }
}

/** In a session of its own: what a terminal, or `kill` of a group, sends to Limpet does not reach it. */
function launch(): Child {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./watchdog_main.${extension}`, import.meta.url));
  const child = spawn(process.execPath, [...OPTIONS, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
    cwd: '/',
    // Nothing of the environment is its business: there may be secrets.
    env: {},
  });
  child.unref();
  return child;
}
