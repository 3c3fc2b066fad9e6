import { LOOP_TOLD_MS, LoopWatch, RecentDelays } from '../account/loop_delay.ts';

const PRIMARY = 0;

/** How long the event loops of the primary and of each worker kept others waiting, of late. */
export class LoopDelays {
  readonly #watch = new LoopWatch();
  readonly #recent = new RecentDelays<number>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.told(PRIMARY, this.#watch.take()), LOOP_TOLD_MS).unref();
  }

  /** A worker tells its longest one of a second. */
  told(worker: number, delayMs: number): void {
    this.#recent.note(worker, delayMs, performance.now());
  }

  /** In milliseconds; without a number: the primary's. */
  maxMs(worker: number = PRIMARY): number {
    return this.#recent.of(worker);
  }

  workerGone(worker: number): void {
    this.#recent.forget(worker);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watch.close();
  }
}
