/** It answers once a second. */
const LONGEST_MS = 3000;
/** Of its start, on a machine that is overloaded. */
const LONGEST_START_MS = 15_000;

/**
 * How long the watchdog has not been heard. Counted in beats that were sent, not by the clock: a primary that was blocked has
 * sent none, and has not read what waits for it either.
 */
export class Silence {
  #silentMs = 0;
  #hasSpoken = false;
  #isOver = false;

  /** It was heard. */
  broken(): void {
    this.#hasSpoken = true;
    this.#silentMs = 0;
  }

  /** Another beat was due, `everyMs` after the last one. True once: it is to be killed. */
  isTooLong(everyMs: number): boolean {
    this.#silentMs += everyMs;
    if (this.#isOver || this.#silentMs < this.#limitMs) return false;
    this.#isOver = true;
    return true;
  }

  /** Why it was to be killed; null: it was not. */
  get complaint(): string | null {
    return this.#isOver ? `no answer for ${this.#limitMs / 1000} s` : null;
  }

  get #limitMs(): number {
    return this.#hasSpoken ? LONGEST_MS : LONGEST_START_MS;
  }
}
