/**
 * Deadlines of a worker: one timer wheel, one interval, however many sessions. A deadline fires up to one tick late,
 * never early. Timers that would move with every packet are not moved at all: their owner remembers when it last saw
 * traffic and looks at that when the timer fires.
 */
const TICK_MS = 20;
const SLOTS = 1024;
/** So late the process has been kept from running: bytes wait to be read that some deadline waits for. */
const LATE_TICKS = 5;

/** A deadline that is still to come. */
export class Timer {
  readonly deadlineMs: number;
  #fire: (() => void) | null;

  constructor(deadlineMs: number, fire: () => void) {
    this.deadlineMs = deadlineMs;
    this.#fire = fire;
  }

  get pending(): boolean {
    return this.#fire !== null;
  }

  /** Never fires after this. May be called twice. The slot forgets it when its turn comes. */
  cancel(): void {
    this.#fire = null;
  }

  /** For the wheel only. */
  fire(): void {
    const fire = this.#fire;
    this.#fire = null;
    fire?.();
  }
}

export class TimerWheel {
  /** Milliseconds, monotonic, as of the last tick: cheap to read, at most one tick old. */
  now: number;
  readonly #slots: Timer[][] = Array.from({ length: SLOTS }, () => []);
  /** Ticks since the start; slot `#tick % SLOTS` was the last one looked at. */
  #tick = 0;
  readonly #startMs: number;
  readonly #interval: NodeJS.Timeout;
  #late: NodeJS.Immediate | null = null;
  /** Null until the first look: loading the program does not count. */
  #longestDelayMs: number | null = null;

  constructor() {
    this.#startMs = performance.now();
    this.now = this.#startMs;
    this.#interval = setInterval(() => this.#advance(), TICK_MS);
    this.#interval.unref();
  }

  /** Calls `fire` once, `delayMs` or up to one tick more from now. */
  after(delayMs: number, fire: () => void): Timer {
    const timer = new Timer(performance.now() + delayMs, fire);
    this.#place(timer);
    return timer;
  }

  /**
   * The longest time, in milliseconds, for which the event loop has kept a tick waiting since the last call. A pause shorter
   * than a tick (20 ms) may go unseen. It costs nothing: a timer of its own would wake the process.
   */
  takeDelayMs(): number {
    const delayMs = this.#longestDelayMs ?? 0;
    this.#longestDelayMs = 0;
    return delayMs;
  }

  /** Stops the wheel; nothing fires any more. */
  close(): void {
    clearInterval(this.#interval);
    if (this.#late !== null) clearImmediate(this.#late);
  }

  #place(timer: Timer): void {
    const due = Math.ceil((timer.deadlineMs - this.#startMs) / TICK_MS);
    // Far deadlines wait in the farthest slot and are placed again when it comes round.
    const tick = Math.min(Math.max(due, this.#tick + 1), this.#tick + SLOTS - 1);
    this.#slots[tick % SLOTS]?.push(timer);
  }

  #advance(): void {
    const before = this.now;
    this.now = performance.now();
    if (this.#longestDelayMs !== null) {
      this.#longestDelayMs = Math.max(this.#longestDelayMs, this.now - before - TICK_MS);
    }
    const target = Math.floor((this.now - this.#startMs) / TICK_MS);
    if (target - this.#tick > LATE_TICKS && this.#late === null) {
      // Sockets are looked at before this runs: nobody is called silent for a pause of ours.
      this.#late = setImmediate(() => this.#advance());
      return;
    }
    this.#late = null;
    // After a long pause of the process every slot is looked at once, not once for each missed tick.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick += 1;
      this.#turn(this.#tick % SLOTS);
    }
  }

  #turn(slot: number): void {
    const timers = this.#slots[slot];
    if (timers === undefined || timers.length === 0) return;
    this.#slots[slot] = [];
    for (const timer of timers) {
      if (!timer.pending) continue;
      if (timer.deadlineMs > this.now) this.#place(timer);
      else timer.fire();
    }
  }
}
