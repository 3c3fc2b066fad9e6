/** What the primary and its watchdog say to each other: a JSON array a line, on pipes that nobody else has. */
export type ToWatchdog =
  /** Whom to watch, and the file to write. */
  | readonly ['watch', pid: number, trackFile: string]
  /** These serve. */
  | readonly ['workers', pids: readonly number[]]
  /** The primary lives. Answered with `alive`, once a second. */
  | readonly ['beat']
  /** There is nothing to watch any more; `write`: the file is to say so. */
  | readonly ['end', write: boolean];

export type ToPrimary =
  /** It has begun, and waits for `watch`. */
  | readonly ['hello']
  /** It runs, and hears the primary. */
  | readonly ['alive']
  /** It has written `1`, or (null) all is well again, and the file is the primary's to write. */
  | readonly ['fault', fault: string | null];

export const BEAT_MS = 50;
/** Of the watchdog's answers: more would only cost. */
export const ANSWER_EVERY_MS = 1000;
/** A line is some 100 bytes, and that of a thousand workers some 10,000. */
const LONGEST_LINE = 64 * 1024;

/** Cuts what comes into messages. What is no message is passed over. */
export class WordReader<Message> {
  #rest = '';

  push(chunk: Buffer | string): Message[] {
    const lines = (this.#rest + String(chunk)).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    return lines.flatMap(line => {
      try {
        const message: unknown = JSON.parse(line);
        return Array.isArray(message) ? [message as Message] : [];
      } catch {
        return [];
      }
    });
  }
}
