import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import stringWidth from 'string-width';
import type { Size } from './frame.ts';
import type { Key } from './keys.ts';

/** Another screen, no cursor, no wrapping of lines. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** What stands between the two appears at once, where the terminal knows them. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

/** The whole terminal, until it is disposed of; and however the process ends, the terminal is as it was before. */
export class Screen implements Disposable {
  readonly #out: WriteStream;
  readonly #input: ReadStream;
  readonly #restore = (): void => this[Symbol.dispose]();
  readonly #onResize: () => void;
  readonly #onKey: (text: string | undefined, key: Key) => void;
  #drawn: readonly string[] = [];
  #isOpen = true;

  constructor(out: WriteStream, input: ReadStream, onKey: (key: Key) => void, onResize: () => void) {
    this.#out = out;
    this.#input = input;
    this.#onKey = (_text, key) => onKey(key);
    this.#onResize = () => {
      this.#drawn = [];
      onResize();
    };
    process.once('exit', this.#restore);
    emitKeypressEvents(input);
    input.setRawMode(true);
    input.on('keypress', this.#onKey);
    input.resume();
    out.on('resize', this.#onResize);
    out.write(ENTER);
  }

  get size(): Size {
    return { columns: this.#out.columns || 80, rows: this.#out.rows || 24 };
  }

  /** Writes the lines that have changed, in one piece. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const { columns } = this.size;
    const changes = lines.flatMap((line, at) => (line === this.#drawn[at] ? [] : [rowText(line, at, columns)]));
    this.#drawn = lines;
    if (changes.length > 0) this.#out.write(`${BEGIN}${changes.join('')}${END}`);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#restore);
    this.#out.off('resize', this.#onResize);
    this.#input.off('keypress', this.#onKey);
    this.#input.setRawMode(false);
    this.#input.pause();
    this.#out.write(LEAVE);
  }
}

/** Behind a line that fills the row the cursor stands on its last character: there is nothing to be cleared. */
function rowText(line: string, at: number, columns: number): string {
  return `\x1b[${at + 1};1H${line}\x1b[0m${stringWidth(line) < columns ? '\x1b[K' : ''}`;
}
