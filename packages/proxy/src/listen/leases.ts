interface Waiting {
  readonly worker: number;
  readonly count: number;
}

/** What the holder of the leases tells the workers. */
export interface LeaseHolder {
  grant(worker: number, count: number): void;
  /** Somebody waits, and nothing is left: asks all workers for what they do not use, and will not use any more. */
  recall(): void;
}

/** `global.maxconn` in the primary: what is left of it, who has how much, and who waits. */
export class Leases {
  #limit: number;
  /** Below 0: the limit has been lowered, and workers have more than it. */
  #free: number;
  readonly #held = new Map<number, number>();
  #waiting: Waiting[] = [];
  readonly #holder: LeaseHolder;

  constructor(limit: number, holder: LeaseHolder) {
    this.#limit = limit;
    this.#free = limit;
    this.#holder = holder;
  }

  /** From now on there are so many. Connections above a lower limit stay until they end. */
  setLimit(limit: number): void {
    this.#free += limit - this.#limit;
    this.#limit = limit;
    if (this.#free < 0) this.#holder.recall();
    this.#serve();
  }

  ask(worker: number, count: number): void {
    this.#waiting.push({ worker, count });
    this.#serve();
  }

  giveBack(worker: number, count: number): void {
    this.#held.set(worker, (this.#held.get(worker) ?? 0) - count);
    this.#free += count;
    this.#serve();
  }

  /** A dead worker's connections are gone, and so is its place in the queue. */
  workerGone(worker: number): void {
    this.#free += this.#held.get(worker) ?? 0;
    this.#held.delete(worker);
    this.#waiting = this.#waiting.filter(one => one.worker !== worker);
    this.#serve();
  }

  #serve(): void {
    while (this.#free > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const count = Math.min(next.count, this.#free);
      this.#free -= count;
      this.#held.set(next.worker, (this.#held.get(next.worker) ?? 0) + count);
      this.#holder.grant(next.worker, count);
    }
    // Also those that have just been served: a grant ends their memory of an earlier recall.
    if (this.#waiting.length > 0) this.#holder.recall();
  }
}

/** How many connections a worker leases at once: few enough that every worker gets some of a small limit. */
export function leaseBlock(maxconn: number, workers: number): number {
  return Math.max(1, Math.min(256, Math.floor(maxconn / (workers * 8))));
}
