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
  readonly #leases = new Map<string, Leases>();

  constructor(config: Config, holder: FrontendLeaseHolder) {
    for (const { name, maxconn } of config.frontends) {
      if (maxconn === null) continue;
      const leases = new Leases(maxconn, {
        grant: (worker, count) => holder.grant(worker, name, count),
        recall: () => holder.recall(name),
      });
      this.#leases.set(name, leases);
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
}
