/** The last so many numbers. */
export class Ring {
  readonly #numbers: Float64Array;
  #next = 0;
  #length = 0;

  constructor(size: number) {
    this.#numbers = new Float64Array(size);
  }

  /** At the limit the oldest one makes room. */
  push(value: number): void {
    this.#numbers[this.#next] = value;
    this.#next = (this.#next + 1) % this.#numbers.length;
    this.#length = Math.min(this.#numbers.length, this.#length + 1);
  }

  /** Oldest first. */
  values(): number[] {
    const isFull = this.#length === this.#numbers.length;
    const [older, newer] = [this.#numbers.subarray(this.#next), this.#numbers.subarray(0, this.#next)];
    return isFull ? [...older, ...newer] : [...newer];
  }

  /** Whether one of them is not 0. */
  hasAny(): boolean {
    return this.#numbers.some(value => value !== 0);
  }
}
