/**
 * A real program under test: its lines are kept, it can be killed and frozen, and it never outlives its owner.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Truthy, until, within } from './condition.ts';

export interface Line {
  /** `Date.now()` when it was read. */
  readonly atMs: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How long SIGTERM may take when the owner lets go, before SIGKILL. Default 5 s. */
  readonly stopMs?: number;
}

const lastLines = 30;

/** Starts a program. It is told to die with the thread that started it (PR_SET_PDEATHSIG), however that ends. */
export function startProcess(command: string, args: readonly string[], options: ProcessOptions = {}): Process {
  const guarded = ['--pdeathsig', 'KILL', '--', command, ...args];
  const child = spawn('setpriv', guarded, {
    cwd: options.cwd,
    // Servers live in sbin, which an ordinary user's PATH may not hold.
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Process(command, child, options.stopMs ?? 5_000);
}

/** A running (or ended) child. Whoever started it disposes of it. */
export class Process implements AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Everything it printed, oldest first. */
  readonly lines: readonly Line[];
  /** When it is gone and all its lines are read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #stopMs: number;
  #exit: Exit | null = null;
  #frozen = false;

  constructor(name: string, child: ChildProcess, stopMs: number) {
    this.name = name;
    this.#child = child;
    this.#stopMs = stopMs;
    this.pid = child.pid ?? -1;
    const lines: Line[] = [];
    this.lines = lines;
    keepLines(child.stdout, 'stdout', lines);
    keepLines(child.stderr, 'stderr', lines);
    this.exited = new Promise(resolve => {
      child.once('error', error => {
        lines.push({ atMs: Date.now(), stream: 'stderr', text: `${name} cannot be started: ${error.message}` });
        resolve({ code: null, signal: null });
      });
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    void this.exited.then(exit => {
      this.#exit = exit;
    });
  }

  /** How it ended; null while it runs. */
  get exit(): Exit | null {
    return this.#exit;
  }

  /** The first line that matches, printed already or still to come. Throws when the program dies first, or is late. */
  async waitForLine(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpExecArray> {
    return this.#waitFor(`a line like ${pattern}`, timeoutMs, () => {
      for (const line of this.lines) {
        const match = pattern.exec(line.text);
        if (match !== null) return match;
      }
      return null;
    });
  }

  /** Asks until the answer is truthy; throws with the last lines when the program dies first, or it takes too long. */
  async waitUntil<T>(what: string, question: () => T | Promise<T>, timeoutMs = 10_000): Promise<Truthy<T>> {
    return this.#waitFor(what, timeoutMs, question);
  }

  /** Sends a signal. It is no error if the program is gone already. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal (default SIGKILL) and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL', timeoutMs = 10_000): Promise<Exit> {
    this.signal(signal);
    return this.waitForExit(timeoutMs);
  }

  async waitForExit(timeoutMs = 10_000): Promise<Exit> {
    return within(this.exited, { what: `the end of ${this.name}`, timeoutMs, seen: () => this.tail() });
  }

  /** Stops it where it stands: its sockets stay open and nothing answers. */
  freeze(): void {
    this.#frozen = true;
    this.signal('SIGSTOP');
  }

  thaw(): void {
    this.#frozen = false;
    this.signal('SIGCONT');
  }

  /** The last lines, for an error. */
  tail(): string {
    const texts = this.lines.slice(-lastLines).map(line => `  ${line.text}`);
    return texts.length === 0 ? `  (${this.name} printed nothing)` : texts.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#frozen) this.thaw();
    this.signal('SIGTERM');
    try {
      await this.waitForExit(this.#stopMs);
    } catch {
      await this.kill('SIGKILL');
    }
  }

  async #waitFor<T>(what: string, timeoutMs: number, question: () => T | Promise<T>): Promise<Truthy<T>> {
    const ask = async (): Promise<T> => {
      // Read before the question: its last lines may hold the answer.
      const gone = this.#exit;
      const answer = await question();
      if (answer || gone === null) return answer;
      const how = gone.signal ?? `exit code ${gone.code}`;
      throw new Error(`${this.name} ended (${how}) before there was ${what}; its last lines:\n${this.tail()}`);
    };
    return until(ask, { what: `${what} of ${this.name}`, timeoutMs, seen: () => this.tail() });
  }
}

function keepLines(stream: Readable | null, name: Line['stream'], lines: Line[]): void {
  if (stream === null) return;
  createInterface({ input: stream }).on('line', text => lines.push({ atMs: Date.now(), stream: name, text }));
}
