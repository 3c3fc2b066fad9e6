import { LOOP_TOLD_MS, RecentDelays } from '../account/loop_delay.ts';
import { TimerWheel } from '../clock.ts';

const PRIMARY = 0;

/** How long the event loops of the primary and of each worker kept others waiting, of late. */
export class LoopDelays {
  readonly #wheel = new TimerWheel();
  readonly #recent = new RecentDelays<number>();

  constructor() {
    this.#tellLater();
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
    this.#wheel.close();
  }

  #tellOwn(): void {
    this.told(PRIMARY, this.#wheel.takeDelayMs());
    this.#tellLater();
  }

  #tellLater(): void {
    this.#wheel.after(LOOP_TOLD_MS, () => this.#tellOwn());
  }
}
