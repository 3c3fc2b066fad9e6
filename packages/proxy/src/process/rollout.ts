import { LimpetError } from '../errors.ts';
import type { ToWorker } from './wire.ts';

/** A worker that is to take a configuration over. */
export interface Follower {
  readonly id: number;
  say(message: ToWorker): void;
}

/** How a worker's taking over went. */
export interface Followed<Worker> {
  readonly worker: Worker;
  readonly error: string;
}

interface Open {
  readonly waitsFor: Set<number>;
  readonly failed: Map<number, string>;
  readonly done: () => void;
}

/** Loading certificates takes a worker the longest; a busy one answers a second or so later. */
const DEADLINE_MS = 10_000;

/** Brings configurations to the workers, and hears when they are in use. One at a time. */
export class Rollout {
  readonly #deadlineMs: number;
  #generation = 0;
  #open: Open | null = null;

  constructor(deadlineMs: number = DEADLINE_MS) {
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Says it to all of them. Resolves when each has answered, or is gone, or 10 s are over; answers who could not take it
   * over, and RELOAD_LATE where some have not answered in time: it names them, and they may answer later.
   */
  async toAll<Worker extends Follower>(
    workers: readonly Worker[],
    message: (generation: number, worker: Worker) => ToWorker,
  ): Promise<{ readonly failed: readonly Followed<Worker>[]; readonly late: LimpetError | null }> {
    this.#generation += 1;
    const waitsFor = new Set(workers.map(({ id }) => id));
    const failed = new Map<number, string>();
    if (waitsFor.size > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#deadlineMs);
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#open = { waitsFor, failed, done };
        for (const worker of workers) worker.say(message(this.#generation, worker));
      });
      this.#open = null;
    }
    return {
      failed: workers.flatMap(worker => {
        const error = failed.get(worker.id);
        return error === undefined ? [] : [{ worker, error }];
      }),
      late: waitsFor.size > 0 ? lateOf([...waitsFor], this.#deadlineMs) : null,
    };
  }

  /** A worker's answer. False: it comes too late, and it is about the newest one; nobody else will hear of it. */
  configured(worker: number, generation: number, error: string | null): boolean {
    if (generation !== this.#generation) return true;
    if (this.#open === null) return false;
    if (error !== null) this.#open.failed.set(worker, error);
    this.#answered(worker);
    return true;
  }

  /** Whoever takes its place starts with the newest one. */
  workerGone(worker: number): void {
    this.#answered(worker);
  }

  #answered(worker: number): void {
    const open = this.#open;
    if (open === null || !open.waitsFor.delete(worker)) return;
    if (open.waitsFor.size === 0) open.done();
  }
}

function lateOf(workers: readonly number[], deadlineMs: number): LimpetError {
  const who = workers.length === 1 ? `worker ${workers[0]} has` : `workers ${workers.join(', ')} have`;
  return new LimpetError(
    'RELOAD_LATE',
    `${who} not taken the configuration over within ${deadlineMs / 1000} s`,
    'see whether this machine is overloaded; a worker that hangs has to be killed, then it is replaced',
  );
}
