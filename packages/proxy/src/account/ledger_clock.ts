import { History } from './history.ts';
import type { Ledger } from './ledger.ts';

const TICK_MS = 1000;
const TICKS_A_SAMPLE = 10;

/** Keeps a ledger's rates and its last hour going. */
export class LedgerClock {
  readonly history: History;
  readonly #ticking: NodeJS.Timeout;

  constructor(ledger: Ledger) {
    this.history = new History(ledger, performance.now());
    ledger.tick(performance.now());
    let ticks = 0;
    this.#ticking = setInterval(() => {
      ledger.tick(performance.now());
      ticks += 1;
      if (ticks % TICKS_A_SAMPLE === 0) this.history.sample(performance.now(), Date.now());
    }, TICK_MS);
    this.#ticking.unref();
  }

  close(): void {
    clearInterval(this.#ticking);
  }
}
