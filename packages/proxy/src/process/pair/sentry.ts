import { closeSync, openSync, readSync } from 'node:fs';
import { errorCode, LimpetError } from '../../errors.ts';
import { hasLetGo, readTask, type TaskState } from './proc_stat.ts';
import { TrackFile } from './track_file.ts';
import { type Fault, isStopped, Judge } from './verdict.ts';
import { ANSWER_EVERY_MS, type ToPrimary, type ToWatchdog, WordReader } from './watchdog_wire.ts';

/** Well below the 20 ms that a death may take to be written, workers at every second look too; a look costs some 80 µs of CPU on a busy machine. */
const LOOK_MS = 8;
/** Workers are looked at every second time: it costs as much as all the rest. */
const WORKERS_EVERY = 2;
/**
 * How long the address may wait for the workers' end. One with few sessions takes some 10 ms, one with thousands longer: the
 * kernel closes them one by one.
 */
const FAREWELL_MS = 250;
/** A line of /proc/PID/stat is some 300 bytes. */
const LINE_BYTES = 1024;

/** A process, watched by its main thread: an open file, so that its number cannot become another one's. */
interface Watched {
  readonly pid: number;
  readonly file: number;
}

/** What the watchdog does: looks every 8 ms, and writes `1` when the proxy is dead or frozen. Lives until orphaned() or `end`. */
export class Sentry {
  readonly #say: (message: ToPrimary) => void;
  readonly #reader: WordReader<ToWatchdog> = new WordReader();
  readonly #line: Buffer = Buffer.alloc(LINE_BYTES);
  readonly #judge: Judge = new Judge(performance.now());
  #track: TrackFile | null = null;
  #primary: Watched | null = null;
  readonly #workers = new Map<number, Watched | null>();
  #fault: Fault | null = null;
  #looks = 0;
  #areAllWorkersStopped = false;
  #answeredMs = -Infinity;

  constructor(say: (message: ToPrimary) => void) {
    this.#say = say;
    say(['hello']);
  }

  hear(chunk: Buffer): void {
    for (const message of this.#reader.push(chunk)) {
      this.#judge.heard(performance.now());
      if (message[0] === 'watch') this.#begin(message[1], message[2]);
      else if (message[0] === 'workers') this.#employ(message[1]);
      else if (message[0] === 'beat') this.#answer();
      else if (message[0] === 'end') {
        if (message[1]) this.#write();
        leave();
      }
    }
  }

  /** The primary has let go of the pipe without a word: it is dead. */
  orphaned(): void {
    this.#endWorkers();
    this.#write();
    leave();
  }

  #answer(): void {
    const nowMs = performance.now();
    if (nowMs - this.#answeredMs < ANSWER_EVERY_MS) return;
    this.#answeredMs = nowMs;
    this.#say(['alive']);
  }

  #begin(pid: number, trackFile: string): void {
    this.#track = new TrackFile(trackFile);
    this.#primary = watched(pid);
    setInterval(() => this.#look(), LOOK_MS);
  }

  #employ(pids: readonly number[]): void {
    for (const [pid, worker] of this.#workers) {
      if (pids.includes(pid)) continue;
      this.#workers.delete(pid);
      if (worker !== null) closeSync(worker.file);
    }
    for (const pid of pids) if (!this.#workers.has(pid)) this.#workers.set(pid, watched(pid));
  }

  #look(): void {
    this.#looks += 1;
    if (this.#looks % WORKERS_EVERY === 0) this.#areAllWorkersStopped = this.#lookAtWorkers();
    const primary = this.#state(this.#primary);
    const areAllWorkersStopped = this.#areAllWorkersStopped;
    const fault = this.#judge.judge({ atMs: performance.now(), primary, areAllWorkersStopped });
    if (fault === this.#fault) return;
    const hadFault = this.#fault !== null;
    this.#fault = fault;
    if (fault === 'killed') this.#endWorkers();
    if (fault !== null && !hadFault) this.#write();
    this.#say(['fault', fault]);
    if (fault === 'killed') leave();
  }

  /** One that is well is enough, so mostly only one is looked at. */
  #lookAtWorkers(): boolean {
    if (this.#workers.size === 0) return false;
    for (const worker of this.#workers.values()) if (!isStopped(this.#state(worker))) return false;
    return true;
  }

  /**
   * Workers die with their primary, but notice it only once all its memory is taken down: so they are told. The kernel then
   * closes their connections, and clients and brokers hear of it at once. It can say so only while the address is here: a
   * client that is not told finds out at its next ping, perhaps minutes later.
   */
  #endWorkers(): void {
    const left = (): Watched[] => [...this.#workers.values()].flatMap(worker => worker ?? []).filter(isThere);
    for (const { pid } of left()) kill(pid);
    const endMs = performance.now() + FAREWELL_MS;
    while (left().length > 0 && performance.now() < endMs) Atomics.wait(nothing, 0, 0, 1);
  }

  #state(process: Watched | null): TaskState | null {
    if (process === null) return null;
    try {
      return readTask(this.#line, readSync(process.file, this.#line, 0, LINE_BYTES, 0));
    } catch {
      // ESRCH: it is gone.
      return null;
    }
  }

  #write(): void {
    try {
      this.#track?.write(false);
    } catch (error) {
      const what = error instanceof LimpetError ? error.message : errorCode(error);
      process.stderr.write(`limpet: watchdog: ${what}\n`);
    }
  }
}

/** Null: it is gone already. */
function watched(pid: number): Watched | null {
  try {
    // The main thread alone: it is what runs the event loop, and the kernel need not add all threads up.
    return { pid, file: openSync(`/proc/${pid}/task/${pid}/stat`, 'r') };
  } catch {
    return null;
  }
}

/** It never changes: to wait for it is to sleep. There is no event loop to keep running: the end has come. */
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Whether it still has connections to close. */
function isThere({ file }: Watched): boolean {
  const line = Buffer.alloc(LINE_BYTES);
  try {
    return !hasLetGo(line.toString('latin1', 0, readSync(file, line, 0, LINE_BYTES, 0)));
  } catch {
    // ESRCH: its parent has taken note.
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in this very moment.
  }
}

/** process.exit() takes V8 down first, and now and then that waits for ever. What was written to a pipe is there. */
function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}
