import type { Way } from './way.ts';

/** One system call for many lines: they wait for others, but not for long. */
const FLUSH_EVERY_MS = 50;
/** How long a reader that is behind, or a disk that is full, is left alone. */
const RETRY_BEHIND_MS = 20;
const RETRY_BROKEN_MS = 1000;
/** What may wait for a reader that does not read, or a disk that is full; the lines that follow are counted, and lost. */
const MOST_BYTES = 4 * 1024 * 1024;
/** How long the end of the process may wait for its last lines. */
const FLUSH_MOST_MS = 1000;

export interface LogWriterOptions {
  readonly way: Way;
  /** What one system call takes, unless one line is longer. */
  readonly chunkBytes: number;
  /** The way out works again; so many lines were lost meanwhile. */
  readonly onDropped: (lines: number) => void;
}

interface Chunk {
  text: string;
  bytes: number;
}

/**
 * Writes lines, never in the way of the event loop. Whatever becomes of the way out (a full disk, a pipe that nobody reads or
 * that is closed, a syslog server that is away) costs lines, at most: nothing is thrown, and nothing waits for it for ever.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #waiting: Chunk[] = [];
  #waitingBytes = 0;
  /** The chunk that is being written, and what is left of it. */
  #current: Buffer | null = null;
  #underWay = false;
  #retryAtMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;
  readonly #onSettled: (() => void)[] = [];

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > MOST_BYTES) {
      this.#dropped += 1;
      return;
    }
    const { chunkBytes } = this.#options;
    const last = this.#waiting.at(-1);
    if (last === undefined || last.bytes + bytes > chunkBytes) this.#waiting.push({ text: line, bytes });
    else {
      last.text += line;
      last.bytes += bytes;
    }
    this.#waitingBytes += bytes;
    if (this.#isUrgent) this.#next();
    this.#arm();
  }

  /** Resolves when everything is written, when it turns out that it cannot be, or after a second. */
  async flush(): Promise<void> {
    if (this.#isEmpty) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>(resolve => {
      this.#onSettled.push(resolve);
      timer = setTimeout(resolve, FLUSH_MOST_MS);
      this.#retryAtMs = 0;
      this.#next();
    });
    clearTimeout(timer);
  }

  /** A timer only while something waits: one that goes on for ever would wake a process that has nothing to do. */
  #arm(): void {
    if (this.#timer !== null || this.#isEmpty) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#next();
      this.#arm();
    }, FLUSH_EVERY_MS);
    this.#timer.unref();
  }

  get #isEmpty(): boolean {
    return this.#current === null && this.#waiting.length === 0;
  }

  #next(): void {
    if (this.#underWay || performance.now() < this.#retryAtMs) return;
    this.#current ??= this.#take();
    if (this.#current === null) return;
    this.#underWay = true;
    this.#options.way.send(this.#current, (error, written, lost = 0) => {
      this.#underWay = false;
      this.#dropped += lost;
      if (error === null) this.#wrote(written);
      else this.#failed(error);
    });
  }

  #take(): Buffer | null {
    const chunk = this.#waiting.shift();
    if (chunk === undefined) return null;
    this.#waitingBytes -= chunk.bytes;
    return Buffer.from(chunk.text);
  }

  #wrote(bytes: number): void {
    const rest = this.#current?.subarray(bytes);
    this.#current = rest === undefined || rest.length === 0 ? null : rest;
    if (this.#isEmpty) this.#tellDropped();
    if (this.#isEmpty) this.#settle();
    else if (this.#isUrgent) this.#next();
  }

  /** A chunk is full, or torn, or somebody waits for the end; what there is besides waits for its time, and for more. */
  get #isUrgent(): boolean {
    return this.#current !== null || this.#waiting.length > 1 || this.#onSettled.length > 0;
  }

  /** What could not be written is kept: a disk may have room again, and a reader come back. */
  #failed({ code }: NodeJS.ErrnoException): void {
    const isBehind = code === 'EAGAIN' || code === 'EBUSY';
    const delayMs = isBehind ? RETRY_BEHIND_MS : RETRY_BROKEN_MS;
    this.#retryAtMs = performance.now() + delayMs;
    setTimeout(() => this.#next(), delayMs + 1).unref();
    if (!isBehind) this.#settle();
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#options.onDropped(lines);
  }

  #settle(): void {
    for (const resolve of this.#onSettled.splice(0)) resolve();
  }
}
