import { FULL, nextAtMs, rateOf, take } from '../../gate/rate.ts';
import { sourceKey } from '../../gate/source_key.ts';

const MOST = 10;
const PER_SECOND = MOST / 60;
const RATE = rateOf(PER_SECOND, MOST);
/** Sources that are remembered; the longest known go first. */
const MOST_SOURCES = 10_000;

/** Wrong passwords by source: ten, then one in six seconds. A try is taken before it is known whether it is wrong. */
export class Failures {
  readonly #fullAtMs = new Map<string, number>();

  /** May this source try a password? Answers 0, or in how many seconds it may. */
  try(source: string, nowMs: number): number {
    const key = sourceKey(source);
    const before = this.#fullAtMs.get(key) ?? FULL;
    const after = take(RATE, before, nowMs);
    if (after === null) return Math.max(1, Math.ceil((nextAtMs(RATE, before) - nowMs) / 1000));
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, after);
    const oldest = this.#fullAtMs.keys().next();
    if (this.#fullAtMs.size > MOST_SOURCES && !oldest.done) this.#fullAtMs.delete(oldest.value);
    return 0;
  }

  /** It was the right one, or was not looked at: the try is given back. */
  forgive(source: string): void {
    const key = sourceKey(source);
    const fullAtMs = this.#fullAtMs.get(key);
    if (fullAtMs !== undefined) this.#fullAtMs.set(key, fullAtMs - RATE.intervalMs);
  }
}
