/** Sightings that lie further apart are not of one stay. */
const calmAfterMs = 3000;
/** At an upgrade both processes of a name may write once or twice; this is longer than that. */
const surelyAfterMs = 2000;
const surelyAfterTimes = 3;

/** Notices that another process tells under this proxy's name: what this one wrote was written over since, again and again. */
export class ProxyTwins {
  readonly #instance: string;
  #times = 0;
  #firstMs = 0;
  #lastMs: number = Number.NEGATIVE_INFINITY;
  /** The last one that was told of. */
  #told = '';

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** Whose words stood where this process had written before; empty: nobody's. True: there is a twin, and it is news. */
  saw(instance: string, nowMs: number): boolean {
    if (instance === '' || instance === this.#instance) return false;
    if (nowMs - this.#lastMs > calmAfterMs) {
      this.#times = 0;
      this.#firstMs = nowMs;
    }
    this.#times += 1;
    this.#lastMs = nowMs;
    if (this.#times < surelyAfterTimes || nowMs - this.#firstMs < surelyAfterMs || this.#told === instance)
      return false;
    this.#told = instance;
    return true;
  }
}
