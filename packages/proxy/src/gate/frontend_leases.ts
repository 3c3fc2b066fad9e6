import type { Config } from '../config/resolved.ts';
import { Leases } from '../listen/leases.ts';

/** What the holder of the leases tells the workers. */
export interface FrontendLeaseHolder {
  grant(worker: number, frontend: string, count: number): void;
  /** To all workers. */
  recall(frontend: string): void;
}

/** Every frontend's own `maxconn` in the primary, counted as `global.maxconn` is: exact over all workers. */
export class FrontendLeases {
  readonly #holder: FrontendLeaseHolder;
  readonly #leases = new Map<string, Leases>();

  constructor(config: Config, holder: FrontendLeaseHolder) {
    this.#holder = holder;
    this.reconfigure(config);
  }

  /**
   * Goes over to another configuration. Where a frontend gets its first `maxconn`, the workers lease what they have
   * already; where it has none any more, all leases are void.
   */
  reconfigure({ frontends }: Pick<Config, 'frontends'>): void {
    const limits = new Map(frontends.map(({ name, maxconn }) => [name, maxconn]));
    for (const name of [...this.#leases.keys()]) if ((limits.get(name) ?? null) === null) this.#leases.delete(name);
    for (const [name, maxconn] of limits) {
      if (maxconn === null) continue;
      const known = this.#leases.get(name);
      if (known === undefined) this.#leases.set(name, this.#make(name, maxconn));
      else known.setLimit(maxconn);
    }
  }

  ask(worker: number, frontend: string, count: number): void {
    this.#leases.get(frontend)?.ask(worker, count);
  }

  giveBack(worker: number, frontend: string, count: number): void {
    this.#leases.get(frontend)?.giveBack(worker, count);
  }

  workerGone(worker: number): void {
    for (const leases of this.#leases.values()) leases.workerGone(worker);
  }

  #make(name: string, maxconn: number): Leases {
    return new Leases(maxconn, {
      grant: (worker, count) => this.#holder.grant(worker, name, count),
      recall: () => this.#holder.recall(name),
    });
  }
}
