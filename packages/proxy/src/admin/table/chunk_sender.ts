import type { MessagePort } from 'node:worker_threads';
import { CHUNK_BYTES, CREDITS, type FromExport } from './task.ts';

/** The thread's end of an export: lines become chunks, at most four of them under way. */
export class ChunkSender {
  readonly #port: MessagePort;
  /** A chunk each that may be sent. */
  readonly #spare: ArrayBuffer[] = Array.from({ length: CREDITS }, () => new ArrayBuffer(CHUNK_BYTES));
  #chunk: Buffer = Buffer.from(new ArrayBuffer(CHUNK_BYTES));
  #bytes = 0;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Nobody reads any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The primary has passed a chunk on: its buffer is free. */
  more(buffer: ArrayBuffer): void {
    this.#spare.push(buffer);
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** False: the chunk is full. Ship it, and add the line again. */
  add(line: string): boolean {
    const room = this.#chunk.length - this.#bytes;
    if (line.length * 3 > room && Buffer.byteLength(line) > room) {
      if (this.#bytes > 0) return false;
      this.#chunk = Buffer.from(new ArrayBuffer(Buffer.byteLength(line)));
    }
    this.#bytes += this.#chunk.write(line, this.#bytes);
    return true;
  }

  /** Sends what there is, as soon as the reader wants more. */
  async ship(): Promise<void> {
    while (this.#spare.length === 0 && !this.#isStopped) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    if (this.#isStopped || this.#bytes === 0) return;
    const buffer = this.#chunk.buffer as ArrayBuffer;
    const said: FromExport = ['chunk', buffer, this.#bytes];
    this.#port.postMessage(said, [buffer]);
    this.#chunk = Buffer.from(this.#spare.pop() ?? new ArrayBuffer(CHUNK_BYTES));
    this.#bytes = 0;
  }
}
