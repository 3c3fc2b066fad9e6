import type { TaskState } from './proc_stat.ts';

/** What the watchdog sees at one moment. Times are monotonic, in milliseconds. */
export interface Look {
  readonly atMs: number;
  /** Null: there is no such process. */
  readonly primary: TaskState | null;
  /** Of the workers; false where there are none that could have stopped. */
  readonly areAllWorkersStopped: boolean;
}

export type Fault = 'killed' | 'stopped' | 'workers_stopped' | 'silent';

/** So long the primary may neither speak nor run. It speaks every 50 ms. */
const SILENT_MS = 250;
/** Where the watchdog itself was not let run for so long, it has missed signs of life. */
const BLIND_MS = 100;

/** Stopped by a signal or a debugger, dead, or about to be. */
export function isStopped(task: TaskState | null): boolean {
  return task === null || task.isEnding || 'TtZXx'.includes(task.state);
}

/**
 * Tells a primary that is frozen from one that is busy. A long garbage collection and an endless loop run, and use a CPU:
 * they are not frozen, for a moment later all may be well. What neither speaks, runs nor uses a CPU is.
 */
export class Judge {
  #cpuTicks = -1;
  #aliveAtMs: number;
  #lookedAtMs: number;

  constructor(nowMs: number) {
    this.#aliveAtMs = nowMs;
    this.#lookedAtMs = nowMs;
  }

  /** The primary has spoken. */
  heard(nowMs: number): void {
    this.#aliveAtMs = nowMs;
  }

  /** What is wrong; null: nothing. */
  judge({ atMs, primary, areAllWorkersStopped }: Look): Fault | null {
    const wasBlind = atMs - this.#lookedAtMs > BLIND_MS;
    this.#lookedAtMs = atMs;
    if (primary === null || primary.isEnding || primary.state === 'Z' || primary.state === 'X') return 'killed';
    if (isStopped(primary)) return 'stopped';
    if (wasBlind || primary.state === 'R' || primary.cpuTicks !== this.#cpuTicks) this.#aliveAtMs = atMs;
    this.#cpuTicks = primary.cpuTicks;
    if (areAllWorkersStopped) return 'workers_stopped';
    return atMs - this.#aliveAtMs >= SILENT_MS ? 'silent' : null;
  }
}
