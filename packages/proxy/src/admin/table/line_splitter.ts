import { StringDecoder } from 'node:string_decoder';

/** Longer ones are no entries. */
const LONGEST = 16_384;

/** Cuts chunks of bytes into lines. Of a line that is too long it keeps nothing: it comes as null. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #isTooLong = false;

  /** The lines that end in this chunk, without their ends. */
  feed(chunk: Uint8Array): (string | null)[] {
    return this.#cut(this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }

  /** The last line, where nothing ended it. */
  end(): (string | null)[] {
    const last = this.#decoder.end();
    return this.#rest + last === '' && !this.#isTooLong ? [] : this.#cut(`${last}\n`);
  }

  #cut(text: string): (string | null)[] {
    const pieces = text.split('\n');
    const rest = pieces.pop() ?? '';
    const lines = pieces.map((piece, index) => this.#line(index === 0 ? this.#rest + piece : piece, index === 0));
    this.#rest = pieces.length === 0 ? this.#rest + rest : rest;
    if (pieces.length > 0) this.#isTooLong = false;
    if (this.#rest.length > LONGEST) {
      this.#rest = '';
      this.#isTooLong = true;
    }
    return lines;
  }

  #line(text: string, isFirst: boolean): string | null {
    if ((isFirst && this.#isTooLong) || text.length > LONGEST) return null;
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }
}
