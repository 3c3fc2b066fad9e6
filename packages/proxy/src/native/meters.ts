import type { RelayMeter } from '../relay/relay.ts';
import type { Engine } from './engine.ts';

/** What links add to, and who counts it in the end. */
export interface Meter {
  readonly id: number;
  /** Links that use it. */
  links: number;
}

/** The engine's sums of what passes: one for each meter of a relay that is in use. */
export class Meters {
  readonly #engine: Engine;
  readonly #open = new Map<RelayMeter, Meter>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** For one link more; its end is said by `links`. */
  of(meter: RelayMeter): Meter {
    const known = this.#open.get(meter);
    const counted = known ?? { id: this.#engine.native.openMeter(), links: 0 };
    if (known === undefined) this.#open.set(meter, counted);
    counted.links += 1;
    return counted;
  }

  /** Counts what has passed since the last time. One that no link uses any more is let go of then. */
  settle(): void {
    const { native, pair } = this.#engine;
    for (const [meter, counted] of this.#open) {
      native.readMeter(counted.id, pair);
      const [bytesIn = 0, bytesOut = 0] = pair;
      if (bytesIn > 0) meter.in.add(bytesIn);
      if (bytesOut > 0) meter.out.add(bytesOut);
      if (counted.links > 0) continue;
      this.#open.delete(meter);
      native.closeMeter(counted.id);
    }
  }
}
