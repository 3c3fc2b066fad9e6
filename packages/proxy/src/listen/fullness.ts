/**
 * Whether a worker has descriptors for no more clients, as others are told: as soon as it is so, and that it is over only when
 * a quarter of its places is free, so that those who come and go at the limit cost no words.
 */
export class Fullness {
  readonly #tell: (isFull: boolean) => void;
  #told = false;

  constructor(tell: (isFull: boolean) => void) {
    this.#tell = tell;
  }

  /** It has so many connections now, of so many that it can have. */
  look(used: number, most: number): void {
    const isFull = used >= most || (this.#told && used > Math.floor((most * 3) / 4));
    if (isFull === this.#told) return;
    this.#told = isFull;
    this.#tell(isFull);
  }
}
