import type { MemoryTable } from '@limpet/state';
import { LimpetError } from '../../errors.ts';
import { entryText, exportHead } from './entry_text.ts';
import { type ExportHead, MemoryHead, RedisHead } from './export_head.ts';
import { ExportThread, type GoOn } from './export_thread.ts';
import { asLimpetError, type OpenTable, openRedisTable } from './redis_source.ts';
import type { ExportTask } from './task.ts';
import type { Threads } from './threads.ts';

/** A reader that takes nothing for so long has gone without saying so. */
const STALL_MS = 120_000;
/** A table of so many entries needs no thread. */
const HEAD_ENTRIES = 2000;

/**
 * A table as text, as fast as it is read. This process writes its beginning, a few hundred entries at a time; where there
 * is more than that, a thread is started meanwhile and writes the rest.
 * @throws LimpetError STATE_*, TABLE_*
 */
export async function* exportStream(
  threads: Threads,
  task: Omit<ExportTask, 'port'>,
  table: MemoryTable | null,
): AsyncGenerator<Buffer, void, undefined> {
  const walk = new Walk(threads, task);
  try {
    for await (const chunk of walk.chunks(table)) {
      if (chunk.length === 0) continue;
      let isStalled = false;
      const stalled = setTimeout(() => {
        isStalled = true;
        walk.end();
      }, STALL_MS).unref();
      yield chunk;
      clearTimeout(stalled);
      if (isStalled) throw stall();
    }
  } catch (error) {
    throw asLimpetError(error);
  } finally {
    walk.end();
  }
}

/** One walk, and what it holds: a connection to Redis, a thread's task. */
class Walk {
  readonly #threads: Threads;
  readonly #task: Omit<ExportTask, 'port'>;
  #redis: OpenTable | null = null;
  #thread: ExportThread | null = null;

  constructor(threads: Threads, task: Omit<ExportTask, 'port'>) {
    this.#threads = threads;
    this.#task = task;
  }

  async *chunks(table: MemoryTable | null): AsyncGenerator<Buffer, void, undefined> {
    const { source, format, filter } = this.#task;
    yield Buffer.from(exportHead(format));
    const how = { filter, text: entryText(format, this.#task) };
    if (source !== null) {
      this.#redis = await openRedisTable(source);
      const head = new RedisHead(this.#redis.table, how);
      yield* this.#inTwo(head, () => ({ cursor: head.cursor }));
    } else if (table !== null) {
      const head = new MemoryHead(table, how);
      yield* this.#inTwo(head, () => ({ walk: head.walk }));
    }
  }

  /** May be called twice. */
  end(): void {
    this.#thread?.end();
    this.#closeRedis();
  }

  /** There is no gap between the two: this process goes on until the thread is there. */
  async *#inTwo(head: ExportHead, place: () => GoOn): AsyncGenerator<Buffer, void, undefined> {
    while (this.#thread?.isReady !== true) {
      const chunk = await head.next();
      if (chunk === null) return;
      yield chunk;
      if (head.seen >= HEAD_ENTRIES) this.#thread ??= new ExportThread(this.#threads, this.#task);
    }
    this.#closeRedis();
    yield* this.#thread.chunks(place());
  }

  #closeRedis(): void {
    void this.#redis?.close();
    this.#redis = null;
  }
}

function stall(): LimpetError {
  return new LimpetError('TABLE_STALLED', 'the reader of this table took nothing for two minutes', 'ask again');
}
