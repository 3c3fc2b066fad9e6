/**
 * Counts the connections of one worker by the configuration under which they came. What a reload takes away may be of use
 * to those that came before: it can go when the last of them has ended.
 */
export class Generations {
  #now = 0;
  /** generation → its connections; none of 0. */
  readonly #alive = new Map<number, number>();

  /** A connection has come; answers what leave() is to be called with. */
  enter(): number {
    this.#alive.set(this.#now, (this.#alive.get(this.#now) ?? 0) + 1);
    return this.#now;
  }

  /** True: it was the last one of its generation. */
  leave(generation: number): boolean {
    const left = (this.#alive.get(generation) ?? 0) - 1;
    if (left > 0) this.#alive.set(generation, left);
    else this.#alive.delete(generation);
    return left <= 0;
  }

  /** Another configuration is in use; answers the generation that has ended. */
  advance(): number {
    this.#now += 1;
    return this.#now - 1;
  }

  /** The oldest generation of which there is a connection, else the one that is now. */
  get oldest(): number {
    return Math.min(this.#now, ...this.#alive.keys());
  }
}

/** Things by name, of which some are gone from the configuration and kept for those who may still use them. */
export class Retiring<Thing> {
  readonly #things = new Map<string, Thing>();
  /** name → the last generation that may use it. */
  readonly #retired = new Map<string, number>();
  readonly #close: (thing: Thing) => void;

  constructor(close: (thing: Thing) => void) {
    this.#close = close;
  }

  /** Also one that is retired. */
  get(name: string): Thing | undefined {
    return this.#things.get(name);
  }

  all(): Thing[] {
    return [...this.#things.values()];
  }

  /** It is in the configuration (again). */
  set(name: string, thing: Thing): void {
    this.#things.set(name, thing);
    this.#retired.delete(name);
  }

  /** Whoever is not named has left the configuration with that generation. */
  retireOthers(names: ReadonlySet<string>, generation: number): void {
    for (const name of this.#things.keys()) {
      if (!names.has(name) && !this.#retired.has(name)) this.#retired.set(name, generation);
    }
  }

  /** Closes and forgets what nobody can use: `oldest` is the oldest generation that lives. */
  forget(oldest: number): void {
    for (const [name, last] of this.#retired) {
      const thing = this.#things.get(name);
      if (last >= oldest || thing === undefined) continue;
      this.#things.delete(name);
      this.#retired.delete(name);
      this.#close(thing);
    }
  }
}
