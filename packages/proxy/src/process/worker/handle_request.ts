/** How long a handle may take before it counts as lost. */
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 10_000;

/**
 * A listener's question for its handle. One that comes while this process has no descriptor for it is lost, and nobody is
 * told: so it is asked for again after 2 s, after 4 s more, 8 s, then every 10 s, for as long as it is lacking.
 */
export class HandleRequest {
  readonly #ask: () => void;
  readonly #isLacking: () => boolean;
  #timer: NodeJS.Timeout | null = null;

  /** `isLacking`: asked before each repetition; false ends them. */
  constructor(ask: () => void, isLacking: () => boolean) {
    this.#ask = ask;
    this.#isLacking = isLacking;
  }

  /** Asks now. A question that was open before is this one from now on: there are never two. */
  begin(): void {
    this.end();
    this.#askAndWait(FIRST_WAIT_MS);
  }

  /** It is not asked for again. May be called twice. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #askAndWait(waitMs: number): void {
    this.#ask();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#isLacking()) this.#askAndWait(Math.min(LONGEST_WAIT_MS, 2 * waitMs));
    }, waitMs);
    this.#timer.unref();
  }
}
