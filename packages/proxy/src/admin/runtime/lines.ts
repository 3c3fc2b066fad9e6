/** The longest line that is read, in bytes. */
export const LONGEST_LINE = 65_536;

/** A line, without its end; or why there is none. */
export type NextLine =
  | { readonly kind: 'line'; readonly line: Buffer }
  | { readonly kind: 'end' }
  /** More than LONGEST_LINE bytes without an end. */
  | { readonly kind: 'too_long' };

/**
 * Cuts what a client sends into lines (`\n`, or `\r\n`), on demand: nothing is read before it is asked for. What stands
 * before the end of the input without a line's end is a line too.
 */
export class Lines {
  readonly #chunks: AsyncIterator<Buffer>;
  /** What has come and is not read yet; `#searched` bytes of it hold no line's end. */
  #held: Buffer = Buffer.alloc(0);
  #searched = 0;
  #isOver = false;

  constructor(chunks: AsyncIterator<Buffer>) {
    this.#chunks = chunks;
  }

  async next(): Promise<NextLine> {
    for (;;) {
      const end = this.#held.indexOf(10, this.#searched);
      if (end !== -1) return this.#take(end);
      if (this.#held.length > LONGEST_LINE) return { kind: 'too_long' };
      this.#searched = this.#held.length;
      if (this.#isOver) return this.#rest();
      const chunk = await this.#chunks.next();
      if (chunk.done === true) this.#isOver = true;
      else this.#held = this.#held.length === 0 ? chunk.value : Buffer.concat([this.#held, chunk.value]);
    }
  }

  #take(end: number): NextLine {
    const line = this.#held.subarray(0, end);
    this.#held = this.#held.subarray(end + 1);
    this.#searched = 0;
    if (line.length > LONGEST_LINE) return { kind: 'too_long' };
    return { kind: 'line', line: line.at(-1) === 13 ? line.subarray(0, -1) : line };
  }

  #rest(): NextLine {
    if (this.#held.length === 0) return { kind: 'end' };
    const line = this.#held;
    this.#held = Buffer.alloc(0);
    this.#searched = 0;
    return { kind: 'line', line };
  }
}
