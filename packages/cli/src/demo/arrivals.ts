import type { Landing } from './landing.ts';

/** Ids that are remembered; a client without an id of its own gets a new one each time. */
const REMEMBERED = 10_000;

/** Health checks connect with such ids, every two seconds: not what a reader of the demo wants to see. */
const OF_A_CHECK = /^limpet-check-/;

export interface Arrival {
  readonly id: string;
  readonly broker: string;
  /** Where it was the last time; undefined: never seen. */
  readonly before: string | undefined;
}

/** Remembers on which broker each client id was last. The brokers tell it, so it is what really happened. */
export class Arrivals {
  readonly #last = new Map<string, string>();

  /** Notes an arrival. Null: a health check's. */
  note(id: string, broker: string): Arrival | null {
    if (OF_A_CHECK.test(id)) return null;
    const before = this.#last.get(id);
    this.#last.delete(id);
    this.#last.set(id, broker);
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
    return { id, broker, before };
  }

  /** Takes these ids out, and answers where they were. */
  take(ids: readonly string[]): Landing {
    const landing = new Map<string, string>();
    for (const id of ids) {
      const broker = this.#last.get(id);
      if (broker !== undefined) landing.set(id, broker);
      this.#last.delete(id);
    }
    return landing;
  }
}
