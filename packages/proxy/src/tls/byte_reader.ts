const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reads numbers and vectors in network order (RFC 8446, 3). What is not there is read as 0 or as empty and makes
 * `isWhole` false, from then on everything is.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;
  #isWhole = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether everything that was asked for was there. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether nothing is left to read; also when something was missing, so that a loop ends. */
  get isAtEnd(): boolean {
    return !this.#isWhole || this.#at === this.#bytes.length;
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** A number of one or two bytes. */
  uint(size: 1 | 2): number {
    const bytes = this.#take(size);
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0;
  }

  /** A length of one or two bytes, and as many bytes; not a copy. */
  vector(lengthSize: 1 | 2): Buffer {
    return this.#take(this.uint(lengthSize));
  }

  #take(count: number): Buffer {
    if (!this.#isWhole || this.#bytes.length - this.#at < count) {
      this.#isWhole = false;
      return NOTHING;
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
