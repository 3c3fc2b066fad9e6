import { LimpetError } from '@limpet/proxy';
import { shown } from '../output/print.ts';

/** An answer that is one line of JSON is no longer than this. */
const LONGEST_JSON = 64 * 1024 * 1024;
const LINE_FEED = 10;
/** A stream that broke off ends with this line. */
const FAILED = '\n# failed: ';
/** So much of a stream's end is kept back until it is known whether it is the end. */
const KEPT = 4096;

/** Reads answers of `api`: a line with the status, then the JSON or the stream, then an empty line. */
export class AnswerReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #address: string;
  #held: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Buffer>, address: string) {
    this.#chunks = chunks;
    this.#address = address;
  }

  /** The answer to a command that has nothing to say. */
  async emptyAnswer(): Promise<void> {
    const line = await this.#line();
    if (line !== '') throw this.#strange(line);
  }

  /** @throws LimpetError with the proxy's code where it refuses; CUT_OFF, NOT_LIMPET */
  async json(): Promise<unknown> {
    const status = await this.#status();
    const text = await this.#line();
    await this.emptyAnswer();
    return this.#judged(status, text);
  }

  /** @throws LimpetError as `json`, and STREAM_FAILED where it breaks off */
  async *stream(): AsyncGenerator<Buffer> {
    const status = await this.#status();
    if (status !== 200) {
      this.#judged(status, await this.#line());
      return;
    }
    // With a line's end before it, so that a failure in the first line is found too.
    let isFirst = true;
    let kept: Buffer = Buffer.concat([Buffer.from([LINE_FEED]), this.#held]);
    for (;;) {
      const over = kept.length - KEPT;
      if (over > 0) {
        yield kept.subarray(isFirst ? 1 : 0, over);
        isFirst = false;
        kept = Buffer.from(kept.subarray(over));
      }
      const next = await this.#chunks.next();
      if (next.done === true) break;
      kept = Buffer.concat([kept, next.value]);
    }
    const rest = this.#lastOf(kept);
    if (rest.length > (isFirst ? 1 : 0)) yield rest.subarray(isFirst ? 1 : 0);
  }

  /** The last bytes without the empty line behind them, where the stream came to its end. */
  #lastOf(kept: Buffer): Buffer {
    if (!kept.subarray(-2).equals(Buffer.from('\n\n'))) throw this.#cutOff();
    const rest = kept.subarray(0, -1);
    const at = rest.lastIndexOf(FAILED);
    if (at === -1 || rest.indexOf(LINE_FEED, at + 1) !== rest.length - 1) return rest;
    throw new LimpetError(
      'STREAM_FAILED',
      `the proxy broke off: ${shown(rest.subarray(at + FAILED.length, -1).toString('utf8'))}`,
      'What has come is not all. Try again; the log of the proxy may say more.',
    );
  }

  async #status(): Promise<number> {
    const line = await this.#line();
    if (/^\d{3}$/.test(line)) return Number(line);
    throw this.#strange(line);
  }

  /** The JSON of an answer. @throws LimpetError where it is an error */
  #judged(status: number, text: string): unknown {
    let said: unknown;
    try {
      said = JSON.parse(text);
    } catch {
      throw this.#strange(text);
    }
    if (status < 400) return said;
    const { code, message, remedy } = (said as { readonly error?: Record<string, unknown> }).error ?? {};
    // It may name what a client sent.
    const [what, help] = [message ?? 'the proxy refused', remedy ?? ''].map(text => shown(String(text)));
    throw new LimpetError(shown(String(code ?? status)), what ?? '', help ?? '');
  }

  /** The next line, without its end. */
  async #line(): Promise<string> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const end = this.#held.indexOf(LINE_FEED);
      if (end !== -1) {
        parts.push(this.#held.subarray(0, end));
        this.#held = this.#held.subarray(end + 1);
        return Buffer.concat(parts).toString('utf8');
      }
      parts.push(this.#held);
      bytes += this.#held.length;
      if (bytes > LONGEST_JSON) throw this.#strange('');
      const next = await this.#chunks.next();
      if (next.done === true) throw this.#cutOff();
      this.#held = next.value;
    }
  }

  #cutOff(): LimpetError {
    return new LimpetError(
      'CUT_OFF',
      `the proxy at ${this.#address} closed the connection before all was said`,
      'Its log may say why: it may have stopped.',
    );
  }

  #strange(line: string): LimpetError {
    return new LimpetError(
      'NOT_LIMPET',
      `what answers at ${this.#address} does not answer as Limpet does: ${shown(JSON.stringify(line.slice(0, 120)))}`,
      'Name the socket of a Limpet of this version: --socket PATH.',
    );
  }
}
