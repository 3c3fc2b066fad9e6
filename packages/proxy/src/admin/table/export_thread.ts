import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { MemoryWalk } from '@limpet/state';
import { RawFeed } from './raw_feed.ts';
import type { ExportTask, FromExport, ToExport } from './task.ts';
import type { Threads } from './threads.ts';

/** Where a thread goes on: a walk through the table of this process, or a cursor of Redis. */
export type GoOn = { readonly walk: MemoryWalk } | { readonly cursor: string | null };

/** The primary's end of an export that a thread writes. At most four chunks of 64 KiB wait, and as many raw slices. */
export class ExportThread {
  readonly #port: MessagePort;
  readonly #inbox = new ChunkInbox();
  #feed: RawFeed | null = null;
  #isReady = false;

  constructor(threads: Threads, task: Omit<ExportTask, 'port'>) {
    const { port1: port, port2: theirs } = new MessageChannel();
    this.#port = port;
    port.on('message', (said: FromExport) => this.#said(said));
    threads.run({ ...task, port: theirs }, [theirs]).catch((error: unknown) => this.#inbox.end(error as Error));
  }

  /** It has begun, and waits for its entries; or it never will, and chunks() tells why. */
  get isReady(): boolean {
    return this.#isReady || this.#inbox.isOver;
  }

  /** The rest of the table. @throws LimpetError STATE_*, TABLE_* */
  async *chunks(from: GoOn): AsyncGenerator<Buffer, void, undefined> {
    if ('walk' in from) this.#feed = new RawFeed(from.walk, this.#port);
    else this.#say(['from', from.cursor]);
    for (let chunk = await this.#inbox.take(); chunk !== null; chunk = await this.#inbox.take()) {
      yield this.#passedOn(chunk);
    }
  }

  /** Nobody reads any more: the thread notices, and ends what it does. May be called twice. */
  end(): void {
    this.#feed?.stop();
    this.#port.close();
  }

  #said(said: FromExport): void {
    if (said[0] === 'ready') this.#isReady = true;
    else if (said[0] === 'spare') this.#feed?.spare(said[1]);
    else if (said[0] === 'chunk') this.#inbox.put(said[1], said[2]);
    else this.#inbox.end(null);
  }

  /**
   * A copy of the chunk, whose buffer goes back. Memory that is handed over and never comes back is to V8 memory of the old
   * generation: every 64 MB of it would cost a full collection of a heap that holds the table. What is allocated here goes
   * with the next young one.
   */
  #passedOn({ buffer, bytes }: Chunk): Buffer {
    const copy = Buffer.allocUnsafeSlow(bytes);
    copy.set(new Uint8Array(buffer, 0, bytes));
    this.#say(['more', buffer], [buffer]);
    return copy;
  }

  #say(message: ToExport, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

interface Chunk {
  readonly buffer: ArrayBuffer;
  readonly bytes: number;
}

/** Chunks in the order in which they came, then the end or an error. */
class ChunkInbox {
  #chunks: Chunk[] = [];
  #isOver = false;
  #error: Error | null = null;
  #wake: (() => void) | null = null;

  /** Nothing more comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  put(buffer: ArrayBuffer, bytes: number): void {
    this.#chunks.push({ buffer, bytes });
    this.#wake?.();
  }

  /** What has come is still read. */
  end(error: Error | null): void {
    this.#isOver = true;
    this.#error ??= error;
    this.#wake?.();
  }

  async take(): Promise<Chunk | null> {
    while (this.#chunks.length === 0 && !this.#isOver) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift() ?? null;
    if (chunk === null && this.#error !== null) throw this.#error;
    return chunk;
  }
}
