import { renewEveryMs, type StickTable } from '@limpet/state';
import type { StickConfig } from '../config/resolved.ts';
import type { Pins } from '../route/pins.ts';

/** Keeps the entries of one worker's live sessions pinned (P3). */
export class Renewal {
  readonly #table: StickTable;
  readonly #pins: Pins;
  readonly #timer: NodeJS.Timeout;

  constructor(table: StickTable, pins: Pins, stick: StickConfig) {
    this.#table = table;
    this.#pins = pins;
    this.#timer = setInterval(() => void this.now(), renewEveryMs(stick.expireMs));
  }

  /** Out of turn, when the table may have lost entries. */
  async now(): Promise<void> {
    for (const key of await this.#table.renew(this.#pins.all())) this.#pins.forget(key);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
