/**
 * Deadlines of a worker: one timer wheel, one timer of Node's, however many sessions. A deadline fires up to one tick late,
 * never early; while none is near, the process sleeps longer than a tick. Timers that would move with every packet are not
 * moved at all: their owner remembers when it last saw traffic and looks at that when the timer fires.
 */
const TICK_MS = 20;
const SLOTS = 1024;
/** So often the wheel looks, whatever is due: how late that look is tells what keeps the event loop. */
const LONGEST_SLEEP_TICKS = 6;
/** So late the process has been kept from running: bytes wait to be read that some deadline waits for. */
const LATE_TICKS = LONGEST_SLEEP_TICKS;

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
  readonly #slots: Timer[][] = Array.from({ length: SLOTS }, () => []);
  /** Ticks since the start; slot `#tick % SLOTS` was the last one looked at. */
  #tick = 0;
  readonly #startMs: number;
  /** The tick that it sleeps until; 0: it is awake. */
  #wakeTick = 0;
  #sleep: NodeJS.Timeout | null = null;
  #isClosed = false;
  #late: NodeJS.Immediate | null = null;
  /** Null until the first look: loading the program does not count. */
  #longestDelayMs: number | null = null;

  constructor() {
    this.#startMs = performance.now();
    this.#fallAsleep();
  }

  /** Milliseconds, monotonic. */
  get now(): number {
    return performance.now();
  }

  /** Calls `fire` once, `delayMs` or up to one tick more from now. */
  after(delayMs: number, fire: () => void): Timer {
    const timer = new Timer(performance.now() + delayMs, fire);
    const tick = this.#place(timer);
    if (tick < this.#wakeTick) this.#fallAsleep();
    return timer;
  }

  /**
   * The longest time, in milliseconds, for which the event loop has kept the wheel waiting since the last call. A pause that
   * is shorter than its sleep may go unseen: 20 ms while there is much to do, 120 ms otherwise. It costs nothing: a timer
   * of its own would wake the process.
   */
  takeDelayMs(): number {
    const delayMs = this.#longestDelayMs ?? 0;
    this.#longestDelayMs = 0;
    return delayMs;
  }

  /** Stops the wheel; nothing fires any more. */
  close(): void {
    this.#isClosed = true;
    if (this.#sleep !== null) clearTimeout(this.#sleep);
    if (this.#late !== null) clearImmediate(this.#late);
  }

  /** Answers the tick at which it is looked at. */
  #place(timer: Timer): number {
    const due = Math.ceil((timer.deadlineMs - this.#startMs) / TICK_MS);
    // Far deadlines wait in the farthest slot and are placed again when it comes round.
    const tick = Math.min(Math.max(due, this.#tick + 1), this.#tick + SLOTS - 1);
    this.#slots[tick % SLOTS]?.push(timer);
    return tick;
  }

  #fallAsleep(): void {
    if (this.#isClosed) return;
    let ticks = 1;
    while (ticks < LONGEST_SLEEP_TICKS && this.#slots[(this.#tick + ticks) % SLOTS]?.length === 0) ticks += 1;
    this.#wakeTick = this.#tick + ticks;
    if (this.#sleep !== null) clearTimeout(this.#sleep);
    this.#sleep = setTimeout(() => this.#wakeUp(), Math.ceil(this.#dueMs(this.#wakeTick) - performance.now()));
    this.#sleep.unref();
  }

  #dueMs(tick: number): number {
    return this.#startMs + tick * TICK_MS;
  }

  #wakeUp(): void {
    if (this.#longestDelayMs !== null) {
      this.#longestDelayMs = Math.max(this.#longestDelayMs, performance.now() - this.#dueMs(this.#wakeTick));
    }
    this.#wakeTick = 0;
    this.#advance();
  }

  #advance(): void {
    const nowMs = performance.now();
    const target = Math.floor((nowMs - this.#startMs) / TICK_MS);
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
      this.#turn(this.#tick % SLOTS, nowMs);
    }
    this.#fallAsleep();
  }

  #turn(slot: number, nowMs: number): void {
    const timers = this.#slots[slot];
    if (timers === undefined || timers.length === 0) return;
    this.#slots[slot] = [];
    for (const timer of timers) {
      if (!timer.pending) continue;
      if (timer.deadlineMs > nowMs) this.#place(timer);
      else timer.fire();
    }
  }
}
