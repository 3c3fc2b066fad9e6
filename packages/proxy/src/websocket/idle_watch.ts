import type { Timer, TimerWheel } from '../clock.ts';

export interface IdleDesk {
  /** We do not read, or cannot write: the peer's silence is of our making, or says nothing. */
  isHeld(): boolean;
  ping(): void;
  /** Silent for a second time. */
  silent(): void;
}

/** Asks a silent peer, and tells when it stays silent. One timer that traffic does not move. */
export class IdleWatch {
  readonly #wheel: TimerWheel;
  readonly #idleMs: number;
  readonly #desk: IdleDesk;
  #timer: Timer;
  #lastMs: number;
  #asked = false;

  constructor(wheel: TimerWheel, idleMs: number, desk: IdleDesk) {
    this.#wheel = wheel;
    this.#idleMs = idleMs;
    this.#desk = desk;
    this.#lastMs = wheel.now;
    this.#timer = wheel.after(idleMs, () => this.#look());
  }

  /** Something has come. */
  heard(): void {
    this.#lastMs = this.#wheel.now;
    this.#asked = false;
  }

  /** Says nothing any more. May be called twice. */
  stop(): void {
    this.#timer.cancel();
  }

  #look(): void {
    if (this.#desk.isHeld()) this.heard();
    const leftMs = this.#lastMs + this.#idleMs - this.#wheel.now;
    if (leftMs > 0) {
      this.#timer = this.#wheel.after(leftMs, () => this.#look());
    } else if (this.#asked) {
      this.#desk.silent();
    } else {
      this.#asked = true;
      this.#timer = this.#wheel.after(this.#idleMs, () => this.#look());
      this.#desk.ping();
    }
  }
}
