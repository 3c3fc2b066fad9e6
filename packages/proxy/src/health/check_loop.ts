import type { ProbeOutcome } from './check_status.ts';
import { jitteredMs } from './verdict.ts';

export interface CheckLoopOptions {
  /** Makes one check. Never rejects, and ends soon after the signal aborts. Null: there is no address to ask. */
  ask(signal: AbortSignal): Promise<ProbeOutcome> | null;
  /** A check has ended, and not by its abort. */
  ended(outcome: ProbeOutcome): void;
  /** From the end of one check to the start of the next. */
  intervalMs(): number;
}

/** Checks that clients call for come at most once in this time, however many clients call. */
const CALLED_CHECK_GAP_MS = 500;

interface RunningCheck {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** When one server is asked: one check at a time, the first at once, the others at jittered intervals or when called. */
export class CheckLoop {
  readonly #options: CheckLoopOptions;
  #running: RunningCheck | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** `performance.now()` of the next check's start; infinite where none is due. */
  #dueMs: number = Number.POSITIVE_INFINITY;
  #lastStartMs: number = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: CheckLoopOptions) {
    this.#options = options;
  }

  /** A check at once, unless one is running. */
  now(): void {
    if (this.#running === null) this.#checkIn(0);
  }

  /** A check at once, or as soon as the gap allows. */
  soon(): void {
    if (this.#running !== null) return;
    const nowMs = performance.now();
    const dueMs = Math.max(nowMs, this.#lastStartMs + CALLED_CHECK_GAP_MS);
    if (dueMs < this.#dueMs) this.#checkIn(dueMs - nowMs);
  }

  /** A check at once; one that is running is about something else, and is dropped. */
  anew(): void {
    if (this.#running === null) this.#checkIn(0);
    else this.#running.abort.abort();
  }

  /** No check begins any more. Ends when the running one has let go of its socket. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  #checkIn(delayMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#dueMs = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#lastStartMs = performance.now();
    const abort = new AbortController();
    const asked = this.#options.ask(abort.signal);
    if (asked === null) this.#checkNext();
    else this.#running = { abort, done: asked.then(outcome => this.#ended(outcome, abort.signal.aborted)) };
  }

  #ended(outcome: ProbeOutcome, aborted: boolean): void {
    this.#running = null;
    if (this.#stopped) return;
    if (aborted) {
      this.#checkIn(0);
      return;
    }
    this.#options.ended(outcome);
    this.#checkNext();
  }

  #checkNext(): void {
    // Whoever was told of the last one may have called for the next one already.
    if (this.#dueMs === Number.POSITIVE_INFINITY) this.#checkIn(jitteredMs(this.#options.intervalMs(), Math.random()));
  }
}
