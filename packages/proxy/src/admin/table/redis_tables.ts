import type { OperatorTable, StickEntry } from '@limpet/state';
import type { EntryFilter, EntryPage } from '../control.ts';
import { clearFrom, pageFrom } from './redis_job.ts';
import { asLimpetError, withRedis } from './redis_source.ts';
import type { RedisSource } from './task.ts';
import type { Threads } from './threads.ts';

/** What takes longer is done by a thread: so long this process looks through Redis itself, slice by slice. */
const HERE_MS = 50;

/**
 * Commands about tables in Redis. What is short is done here, and answered in milliseconds; what lasts goes on in a
 * thread, whose start alone takes most of a second on a busy machine.
 * All reject with a LimpetError STATE_*, TABLE_*.
 */
export class RedisTables {
  readonly #threads: Threads;

  constructor(threads: Threads) {
    this.#threads = threads;
  }

  get(source: RedisSource, key: string): Promise<StickEntry | null> {
    return here(source, table => table.get(key));
  }

  set(source: RedisSource, key: string, server: string): Promise<boolean> {
    return here(source, table => table.set(key, server));
  }

  /** False: there was none. */
  async remove(source: RedisSource, key: string): Promise<boolean> {
    return (await here(source, table => table.remove([key]))) > 0;
  }

  async page(source: RedisSource, filter: EntryFilter, cursor: string | null, limit: number): Promise<EntryPage> {
    const { entries, next } = await here(source, table => pageFrom(table, { filter, cursor, limit }, HERE_MS));
    const wanted = limit - entries.length;
    if (next === null || wanted <= 0) return { entries, next };
    const rest = await this.#threads.run({ kind: 'page', source, filter, cursor: next, limit: wanted });
    return { entries: [...entries, ...rest.entries], next: rest.next };
  }

  /** Answers how many there were. */
  async clear(source: RedisSource, filter: EntryFilter): Promise<number> {
    const { count, next } = await here(source, table => clearFrom(table, { filter, cursor: null }, HERE_MS));
    return next === null ? count : count + (await this.#threads.run({ kind: 'clear', source, filter, cursor: next }));
  }

  async count(source: RedisSource): Promise<number> {
    return (await here(source, table => table.count(HERE_MS))) ?? (await this.#threads.run({ kind: 'count', source }));
  }
}

async function here<T>(source: RedisSource, work: (table: OperatorTable) => Promise<T>): Promise<T> {
  try {
    return await withRedis(source, work);
  } catch (error) {
    throw asLimpetError(error);
  }
}
