import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { MemoryTable } from '@limpet/state';
import type { ImportReport } from '../control.ts';
import { CHUNK_BYTES, CREDITS, type FromImport, type ImportTask, type ToImport } from './task.ts';
import type { Threads } from './threads.ts';

/**
 * Brings lines to a thread, which writes their entries to Redis, or back into the table of this process. At most four
 * chunks of 64 KiB are under way.
 * @throws LimpetError STATE_*, TABLE_*, and whatever the source of the lines throws
 */
export async function importStream(
  threads: Threads,
  task: Omit<ImportTask, 'port'>,
  table: MemoryTable | null,
  lines: AsyncIterable<Buffer>,
): Promise<ImportReport> {
  const { port1: port, port2: theirs } = new MessageChannel();
  const credits = new Credits();
  port.on('message', (said: FromImport) => {
    if (said[0] === 'more') credits.give();
    // A batch is 128 entries: well under half a millisecond.
    else if (table !== null) say(port, ['results', said[1].map(entry => table.put(entry))]);
  });
  const report = threads.run({ ...task, port: theirs }, [theirs]);
  report.then(credits.end, credits.end);
  try {
    await send(port, lines, credits);
    return await report;
  } finally {
    port.close();
  }
}

async function send(port: MessagePort, lines: AsyncIterable<Buffer>, credits: Credits): Promise<void> {
  for await (const bytes of lines) {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      await credits.take();
      if (credits.isOver) return;
      const chunk = new Uint8Array(bytes.subarray(at, at + CHUNK_BYTES));
      port.postMessage(['chunk', chunk] satisfies ToImport, [chunk.buffer]);
    }
  }
  say(port, ['end']);
}

function say(port: MessagePort, message: ToImport): void {
  port.postMessage(message);
}

/** How many chunks may be sent. */
class Credits {
  #count = CREDITS;
  #isOver = false;
  #wake: (() => void) | null = null;

  /** Nobody takes any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  readonly end = (): void => {
    this.#isOver = true;
    this.#wake?.();
  };

  give(): void {
    this.#count++;
    this.#wake?.();
  }

  async take(): Promise<void> {
    while (this.#count === 0 && !this.#isOver) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    this.#count--;
  }
}
