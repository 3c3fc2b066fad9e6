/** Lets a bounded number of costly things happen at once; so many more wait, first come, first served. */
export class Turns {
  readonly #most: number;
  readonly #queue: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number, queue: number) {
    this.#most = most;
    this.#queue = queue;
  }

  /** Does it when its turn comes; null: too many wait already, and it was not done. */
  async take<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#inside >= this.#most) {
      if (this.#waiting.length >= this.#queue) return null;
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    } else {
      this.#inside += 1;
    }
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** The place goes to who waits, so nobody slips in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inside -= 1;
    else next();
  }
}
