/**
 * What could not be used at once may be used for so long, and so much may be without an answer. So no second lets more than
 * 1.1 times the rate, and one, through: neither by when they were let through, nor by when that was answered.
 */
const KEPT_MS = 100;

/** Lets so many pass in a second, evenly. Times are milliseconds of a clock that never goes back. */
export class Pace {
  readonly #rate: number;
  #tokens = 0;
  /** Let through, and not answered for. */
  #out = 0;
  #lastMs: number;

  /** `rate`: a second; 0: nobody. */
  constructor(rate: number, nowMs: number) {
    this.#rate = rate;
    this.#lastMs = nowMs;
  }

  /** How many may pass now, `most` at most; answered() is to follow for each of them. */
  take(nowMs: number, most: number): number {
    this.#add(((nowMs - this.#lastMs) * this.#rate) / 1000);
    this.#lastMs = nowMs;
    const taken = Math.min(Math.floor(this.#tokens), most);
    this.#tokens -= taken;
    this.#out += taken;
    return taken;
  }

  /** Of `count` that were let through so many have passed; the others may be let through again. */
  answered(passed: number, count: number): void {
    this.#out -= count;
    this.#add(count - passed);
  }

  /** After a pause nothing is caught up on. */
  restart(nowMs: number): void {
    this.#tokens = 0;
    this.#lastMs = nowMs;
  }

  #add(tokens: number): void {
    const kept = (this.#rate * KEPT_MS) / 1000;
    // At low rates the part of one that is saved up must not be lost either.
    const most = Math.max(kept, 1 + Math.min(1, kept));
    // A worker that was held up does all that it finds at once: so what it owes is part of what may come at once.
    this.#tokens = Math.min(this.#tokens + tokens, Math.max(0, most - this.#out));
  }
}

/**
 * Splits a number in proportion to what each has, and gives nobody more than that: by largest remainders. Where there is
 * less than `count` in all, everybody gets what it has. Pure.
 */
export function spread(count: number, have: readonly number[]): number[] {
  const total = have.reduce((sum, one) => sum + one, 0);
  if (count >= total) return [...have];
  const exact = have.map(one => (count * one) / total);
  const parts = exact.map(Math.floor);
  let rest = count - parts.reduce((sum, part) => sum + part, 0);
  const byRemainder = exact.map((part, i) => ({ i, remainder: part - Math.floor(part) }));
  byRemainder.sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of byRemainder) {
    if (rest === 0) break;
    parts[i] = (parts[i] ?? 0) + 1;
    rest -= 1;
  }
  return parts;
}
