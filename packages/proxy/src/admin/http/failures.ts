import { FULL, nextAtMs, type Rate, rateOf, take } from '../../gate/rate.ts';
import { sourceKey } from '../../gate/source_key.ts';

const MINUTE_S = 60;
/** For one user's name from one source: who guesses one password keeps nobody else of the same address out. */
const OF_NAME = 10;
/** For all names from one source. */
const OF_SOURCE = 100;
/** What is remembered of each kind; the longest known go first. */
const MOST_REMEMBERED = 10_000;

/**
 * Wrong passwords: ten a minute for one name from one source, and a hundred for all names of a source. A try is taken
 * before it is known whether it is wrong.
 */
export class Failures {
  readonly #ofNames = new Buckets(rateOf(OF_NAME / MINUTE_S, OF_NAME));
  readonly #ofSources = new Buckets(rateOf(OF_SOURCE / MINUTE_S, OF_SOURCE));

  /**
   * May this source try a password? Answers 0, or in how many seconds it may.
   * @param name of a user that exists; null for all others together
   */
  try(source: string, name: string | null, nowMs: number): number {
    const [one, all] = keysOf(source, name);
    const waitMs = Math.max(this.#ofNames.waitMs(one, nowMs), this.#ofSources.waitMs(all, nowMs));
    if (waitMs > 0) return Math.ceil(waitMs / 1000);
    this.#ofNames.take(one, nowMs);
    this.#ofSources.take(all, nowMs);
    return 0;
  }

  /** It was the right one, or was not looked at: the try is given back. */
  forgive(source: string, name: string | null): void {
    const [one, all] = keysOf(source, name);
    this.#ofNames.giveBack(one);
    this.#ofSources.giveBack(all);
  }
}

/** For the name at the source, and for the source. */
function keysOf(source: string, name: string | null): readonly [string, string] {
  const key = sourceKey(source);
  return [JSON.stringify([key, name]), key];
}

/** A bucket of tokens for each key. */
class Buckets {
  readonly #rate: Rate;
  readonly #fullAtMs = new Map<string, number>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** 0: there is a token now. */
  waitMs(key: string, nowMs: number): number {
    const before = this.#fullAtMs.get(key) ?? FULL;
    if (take(this.#rate, before, nowMs) !== null) return 0;
    return Math.max(1, nextAtMs(this.#rate, before) - nowMs);
  }

  take(key: string, nowMs: number): void {
    const after = take(this.#rate, this.#fullAtMs.get(key) ?? FULL, nowMs);
    if (after === null) return;
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, after);
    const oldest = this.#fullAtMs.keys().next();
    if (this.#fullAtMs.size > MOST_REMEMBERED && !oldest.done) this.#fullAtMs.delete(oldest.value);
  }

  giveBack(key: string): void {
    const fullAtMs = this.#fullAtMs.get(key);
    if (fullAtMs !== undefined) this.#fullAtMs.set(key, fullAtMs - this.#rate.intervalMs);
  }
}
