import { renewEveryMs, type StickTable } from '@limpet/state';
import type { StickConfig } from '../../config/resolved.ts';
import type { Pins } from '../../route/pins.ts';

/** Few enough for every table to send them in one go, before anything that is said of them later. */
const BATCH = 128;

/** Keeps the entries of one worker's live sessions pinned (P3). */
export class Renewal {
  readonly #table: StickTable;
  readonly #pins: Pins;
  #timer: NodeJS.Timeout;
  #running = 0;

  constructor(table: StickTable, pins: Pins, stick: StickConfig) {
    this.#table = table;
    this.#pins = pins;
    this.#timer = this.#arm(stick);
  }

  /** Other times. What is pinned for the former one is renewed at once, for the next interval may be longer than that. */
  reconfigure(stick: StickConfig): void {
    clearInterval(this.#timer);
    this.#timer = this.#arm(stick);
    void this.now();
  }

  #arm({ expireMs }: StickConfig): NodeJS.Timeout {
    return setInterval(() => {
      // One that takes longer than its interval is not helped by a second one.
      if (this.#running === 0) void this.now();
    }, renewEveryMs(expireMs));
  }

  /** Out of turn, when the table may have lost entries. */
  async now(): Promise<void> {
    this.#running += 1;
    for (const batch of this.#pins.batches(BATCH)) {
      const superseded = new Set(await this.#table.renew(batch));
      for (const pin of batch) if (superseded.has(pin.key)) this.#pins.remove(pin);
    }
    this.#running -= 1;
  }

  /** One key out of turn, if a live session has it. */
  async of(key: string): Promise<void> {
    const pin = this.#pins.of(key);
    if (pin !== undefined && (await this.#table.renew([pin])).length > 0) this.#pins.remove(pin);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
