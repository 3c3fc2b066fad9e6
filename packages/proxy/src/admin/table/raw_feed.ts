import type { MessagePort } from 'node:worker_threads';
import type { MemoryWalk } from '@limpet/state';
import { RawWriter } from './raw_slice.ts';
import { CHUNK_BYTES, CREDITS, type ToExport } from './task.ts';

/** What one turn of the event loop may give to a walk; looked at once in so many entries. */
const TURN_MS = 1;
const LOOK_EVERY = 64;

/**
 * Hands what is left of a walk over to a thread, slice by slice: a millisecond of work in one turn of the event loop, then others
 * have theirs. The four buffers go to and fro.
 */
export class RawFeed {
  readonly #walk: MemoryWalk;
  readonly #port: MessagePort;
  readonly #writer = new RawWriter();
  readonly #spare: ArrayBuffer[] = Array.from({ length: CREDITS }, () => new ArrayBuffer(CHUNK_BYTES));
  #turn: NodeJS.Immediate | null = null;
  #isOver = false;

  constructor(walk: MemoryWalk, port: MessagePort) {
    this.#walk = walk;
    this.#port = port;
    this.#next();
  }

  /** The thread has read this one. */
  spare(buffer: ArrayBuffer): void {
    this.#spare.push(buffer);
    this.#next();
  }

  stop(): void {
    this.#isOver = true;
    if (this.#turn !== null) clearImmediate(this.#turn);
  }

  #next(): void {
    if (this.#turn !== null || this.#isOver || this.#spare.length === 0) return;
    this.#turn = setImmediate(() => {
      this.#turn = null;
      const buffer = this.#spare.pop();
      if (buffer !== undefined) this.#fill(buffer);
      this.#next();
    });
  }

  #fill(buffer: ArrayBuffer): void {
    const writer = this.#writer;
    const startMs = performance.now();
    let left = LOOK_EVERY;
    writer.begin(buffer);
    const isMore = this.#walk.slice((entry, ttlMs) => {
      writer.write(entry, ttlMs);
      if (--left > 0) return writer.hasRoom;
      left = LOOK_EVERY;
      return writer.hasRoom && performance.now() - startMs < TURN_MS;
    });
    const said: ToExport = ['raw', buffer, writer.bytes, writer.takeNames()];
    this.#port.postMessage(said, [buffer]);
    if (!isMore) {
      this.#port.postMessage(['rawEnd'] satisfies ToExport);
      this.stop();
    }
  }
}
