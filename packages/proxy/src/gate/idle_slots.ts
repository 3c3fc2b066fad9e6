/** No slot. */
export const NONE = -1;

/** A list of slot numbers in the order in which they were added, each of which can be taken out at once. */
export class IdleSlots {
  #older: Int32Array;
  #newer: Int32Array;
  #oldest: number = NONE;
  #newest: number = NONE;

  constructor(capacity: number) {
    this.#older = new Int32Array(capacity);
    this.#newer = new Int32Array(capacity);
  }

  /** The one that was added first, or NONE. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Room for slots below `capacity`. */
  grow(capacity: number): void {
    this.#older = grown(this.#older, capacity);
    this.#newer = grown(this.#newer, capacity);
  }

  /** Must not be in the list. */
  add(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = NONE;
    if (this.#newest === NONE) this.#oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  /** Must be in the list. */
  remove(slot: number): void {
    const older = this.#older[slot] ?? NONE;
    const newer = this.#newer[slot] ?? NONE;
    if (older === NONE) this.#oldest = newer;
    else this.#newer[older] = newer;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
  }
}

/** The same numbers, and zeros behind them. */
export function grown<Numbers extends Int32Array | Float64Array>(numbers: Numbers, capacity: number): Numbers {
  const larger = new (numbers.constructor as new (length: number) => Numbers)(capacity);
  larger.set(numbers);
  return larger;
}
