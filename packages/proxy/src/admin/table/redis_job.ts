import type { OperatorTable, StickEntry } from '@limpet/state';
import type { EntryFilter, EntryPage } from '../control.ts';
import { matches, wantsKey } from './entry_filter.ts';
import { redisCursor, redisPlace } from './page_cursor.ts';
import { withRedis } from './redis_source.ts';
import type { RedisTask, TaskValues } from './task.ts';

/** A page that few entries belong to is answered as it is after so long: shorter than asked for, with its cursor. */
const PAGE_MS = 2000;

/** One command about a table in Redis, to its end. */
export async function redisJob(task: RedisTask): Promise<TaskValues[RedisTask['kind']]> {
  return await withRedis<TaskValues[RedisTask['kind']]>(task.source, async table => {
    switch (task.kind) {
      case 'page':
        return await pageFrom(table, task, PAGE_MS);
      case 'clear':
        return (await clearFrom(table, task, Number.POSITIVE_INFINITY)).count;
      case 'count':
        return (await table.count()) ?? 0;
    }
  });
}

export interface PageRequest {
  readonly filter: EntryFilter;
  readonly cursor: string | null;
  readonly limit: number;
}

/**
 * A page, or what of it was found in that time. A slice of Redis may hold more than a page: then the next page goes on
 * within the same slice, by the order of keys.
 */
export async function pageFrom(table: OperatorTable, request: PageRequest, withinMs: number): Promise<EntryPage> {
  const { filter, cursor, limit } = request;
  const endMs = performance.now() + withinMs;
  const entries: StickEntry[] = [];
  for (let { scan, after } = redisPlace(cursor); ; after = null) {
    const slice = await table.slice(scan, key => (after === null || key > after) && wantsKey(key, filter));
    const found = slice.entries.filter(entry => matches(entry, entry.ttlMs, filter));
    found.sort((a, b) => (a.key < b.key ? -1 : 1));
    const taken = found.slice(0, limit - entries.length);
    entries.push(...taken);
    const last = taken.at(-1);
    if (last !== undefined && taken.length < found.length)
      return { entries, next: redisCursor({ scan, after: last.key }) };
    if (slice.next === null) return { entries, next: null };
    scan = slice.next;
    if (entries.length >= limit || performance.now() > endMs)
      return { entries, next: redisCursor({ scan, after: null }) };
  }
}

/** Removes what matches, from a cursor on. `next` null: to the end; else that time was not enough. */
export async function clearFrom(
  table: OperatorTable,
  { filter, cursor }: Omit<PageRequest, 'limit'>,
  withinMs: number,
): Promise<{ readonly count: number; readonly next: string | null }> {
  const endMs = performance.now() + withinMs;
  let count = 0;
  for (let next = cursor; ; ) {
    const slice = await table.slice(next, key => wantsKey(key, filter));
    const keys = slice.entries.filter(entry => matches(entry, entry.ttlMs, filter)).map(({ key }) => key);
    count += await table.remove(keys);
    next = slice.next;
    if (next === null || performance.now() > endMs) return { count, next };
  }
}
