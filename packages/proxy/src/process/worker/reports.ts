import { LOOP_TOLD_MS } from '../../account/loop_delay.ts';
import type { Tally } from '../../account/tally.ts';
import type { TimerWheel } from '../../clock.ts';
import type { PrimaryLink } from './primary_link.ts';

/** How old what the primary knows of this worker's counts may be, and a tick: then the wheel wakes up anyway. */
const TALLY_MS = 100;

/** What a worker tells the primary of itself without being asked: what it has counted, and how busy its event loop was. */
export class Reports {
  readonly #wheel: TimerWheel;
  readonly #tally: Tally;
  readonly #link: PrimaryLink;
  readonly #settle: () => void;

  /** `settle`: brings to the tally what others have counted for it. */
  constructor(wheel: TimerWheel, tally: Tally, link: PrimaryLink, settle: () => void) {
    this.#wheel = wheel;
    this.#tally = tally;
    this.#link = link;
    this.#settle = settle;
    this.#wheel.after(TALLY_MS, () => this.#tellTally());
    this.#wheel.after(LOOP_TOLD_MS, () => this.#tellLoop());
  }

  /** The last word: everything that has been counted. Nothing is told any more once the wheel stands still. */
  end(): void {
    this.#flushTally();
  }

  #tellTally(): void {
    this.#flushTally();
    this.#wheel.after(TALLY_MS, () => this.#tellTally());
  }

  #flushTally(): void {
    this.#settle();
    const deltas = this.#tally.flush();
    // At once: to wait for company would wake the process once more.
    if (deltas.length > 0) this.#link.say(['tally', deltas]);
  }

  #tellLoop(): void {
    this.#link.mention(['loop', Math.round(this.#wheel.takeDelayMs() * 10) / 10]);
    this.#wheel.after(LOOP_TOLD_MS, () => this.#tellLoop());
  }
}
