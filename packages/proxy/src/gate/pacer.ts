import type { PaceConfig } from '../config/resolved.ts';
import { FULL, nextAtMs, type Rate, take } from './rate.ts';
import { type Place, WaitingLine } from './waiting_line.ts';

export type PaceVerdict = 'go' | 'queue_full' | 'queue_timeout';

interface Waiting {
  readonly sinceMs: number;
  readonly tell: (verdict: PaceVerdict) => void;
}
/** A place in a pacer's queue. */
export type PaceWait = Place<Waiting>;

/** Time, as a pacer needs it. */
export interface PaceClock {
  /** Milliseconds, monotonic, not negative. */
  now(): number;
  /** Calls `fire` once, about then; answers how to prevent it. */
  after(delayMs: number, fire: () => void): () => void;
}

/** The longest that setTimeout takes. */
const MAX_TIMER_MS = 2_147_483_647;

export const PROCESS_CLOCK: PaceClock = {
  now: () => performance.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, Math.min(Math.ceil(delayMs), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** So much time's worth may go at once: timers are late by a millisecond, and by more when the process is busy. */
const BURST_MS = 20;
/** The same where the pace is slower than that: enough for a late timer, never enough for two at once. */
const LATE_TIMER_MS = 2;

/**
 * Lets its clients go at `limit` a second, evenly and first come, first served: in any `t` seconds no more than
 * `limit × (t + 0.02) + 1`. At most `queue` wait, each for at most `queueTimeoutMs`. One timer, and every call is O(1).
 */
export class Pacer {
  #pace: PaceConfig;
  readonly #clock: PaceClock;
  #rate: Rate;
  readonly #line: WaitingLine<Waiting> = new WaitingLine();
  #fullAtMs: number = FULL;
  /** When the timer fires; null: there is none. */
  #timer: { readonly atMs: number; readonly cancel: () => void } | null = null;

  constructor(pace: PaceConfig, clock: PaceClock = PROCESS_CLOCK) {
    this.#pace = pace;
    this.#clock = clock;
    this.#rate = paceRate(pace.limit);
  }

  /** From now on at this pace. Those who wait keep their places; a shorter time to wait holds for them, too. */
  reconfigure(pace: PaceConfig): void {
    this.#pace = pace;
    this.#rate = paceRate(pace.limit);
    this.#rearm();
  }

  /** There is no pace any more: all who wait may go. */
  open(): void {
    for (let { first } = this.#line; first !== null; first = this.#line.first) {
      this.#line.leave(first);
      first.value.tell('go');
    }
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#line.length;
  }

  /**
   * Somebody wants to go. `tell` hears the verdict once: now, and then null is answered, or later, unless the place in
   * the queue that is answered is given up before.
   */
  ask(tell: (verdict: PaceVerdict) => void): PaceWait | null {
    // Those who wait for longer come first, also where the timer is late.
    this.#serve();
    if (this.#line.length === 0 && this.#takeTurn()) {
      tell('go');
      return null;
    }
    if (this.#line.length >= this.#pace.queue) {
      tell('queue_full');
      return null;
    }
    const place = this.#line.join({ tell, sinceMs: this.#clock.now() });
    this.#arm();
    return place;
  }

  /** Gives a place up: its `tell` is not called any more. May be called at any time, twice too. */
  cancel(place: PaceWait): void {
    this.#line.leave(place);
  }

  /** Tells everybody whose turn or whose end it is. All wait for equally long, so the first one's time is over first. */
  #serve(): void {
    for (;;) {
      const { first } = this.#line;
      if (first === null) return;
      const isLate = this.#deadlineMs(first) <= this.#clock.now();
      if (!isLate && !this.#takeTurn()) return;
      this.#line.leave(first);
      first.value.tell(isLate ? 'queue_timeout' : 'go');
    }
  }

  #takeTurn(): boolean {
    const fullAtMs = take(this.#rate, this.#fullAtMs, this.#clock.now());
    if (fullAtMs === null) return false;
    this.#fullAtMs = fullAtMs;
    return true;
  }

  #arm(): void {
    const { first } = this.#line;
    if (first === null) return;
    const atMs = Math.min(this.#deadlineMs(first), nextAtMs(this.#rate, this.#fullAtMs));
    if (this.#timer !== null) {
      if (this.#timer.atMs <= atMs) return;
      this.#timer.cancel();
    }
    const cancel = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => this.#fired());
    this.#timer = { atMs, cancel };
  }

  #deadlineMs({ value }: PaceWait): number {
    return value.sinceMs + this.#pace.queueTimeoutMs;
  }

  #rearm(): void {
    this.#timer?.cancel();
    this.#fired();
  }

  #fired(): void {
    this.#timer = null;
    this.#serve();
    this.#arm();
  }
}

function paceRate(limit: number): Rate {
  const intervalMs = 1000 / limit;
  return { intervalMs, toleranceMs: Math.max(BURST_MS - intervalMs, LATE_TIMER_MS) };
}
