import type { PaceClock } from '../../../src/gate/pacer.ts';

/** A clock that stands still until a test moves it. Timers fire late by `lateMs`, as real ones do. */
export class StillClock implements PaceClock {
  readonly #lateMs: () => number;
  #nowMs: number;
  readonly #timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();

  constructor(nowMs = 0, lateMs: () => number = () => 0) {
    this.#nowMs = nowMs;
    this.#lateMs = lateMs;
  }

  now(): number {
    return this.#nowMs;
  }

  get timers(): number {
    return this.#timers.size;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs + this.#lateMs(), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time goes on, and whatever is due meanwhile happens in its order. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter(timer => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fire();
    }
    this.#nowMs = endMs;
  }
}
