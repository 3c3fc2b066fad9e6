import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MemoryTable, MemoryWalk, StickEntry, Visit, WalkedEntry, WalkPlace } from '@limpet/state';
import type { EntryFilter, EntryPage } from '../control.ts';
import { matches } from './entry_filter.ts';

/** What one turn of the event loop may give to it; looked at once in so many entries. */
const TURN_MS = 1;
const LOOK_EVERY = 64;

/** A page of the table of this process. A place in it stays right whatever comes and goes meanwhile. */
export async function memoryPage(
  table: MemoryTable,
  filter: EntryFilter,
  cursor: string | null,
  limit: number,
): Promise<EntryPage> {
  const entries: StickEntry[] = [];
  const walk = table.walk(placeOf(cursor));
  const isMore = await inTurns(walk, (entry, ttlMs) => {
    return !matches(entry, ttlMs, filter) || entries.push(copyOf(entry, ttlMs)) < limit;
  });
  return { entries, next: isMore ? cursorOf(walk.place) : null };
}

/** Removes what matches, and answers how many. */
export async function memoryClear(table: MemoryTable, filter: EntryFilter): Promise<number> {
  let count = 0;
  await inTurns(table.walk(), (entry, ttlMs) => {
    if (matches(entry, ttlMs, filter) && table.remove(entry.key)) count++;
    return true;
  });
  return count;
}

/** Shows all entries until the visitor has enough; false: that were all. */
async function inTurns(walk: MemoryWalk, visit: Visit): Promise<boolean> {
  for (;;) {
    const endMs = performance.now() + TURN_MS;
    let hasEnough = false;
    let left = LOOK_EVERY;
    const isMore = walk.slice((entry, ttlMs) => {
      hasEnough = !visit(entry, ttlMs);
      if (hasEnough) return false;
      if (--left > 0) return true;
      left = LOOK_EVERY;
      return performance.now() < endMs;
    });
    if (!isMore || hasEnough) return isMore;
    await nextTurn();
  }
}

/** An entry that may be kept. */
export function copyOf({ key, server, owner, epoch, state }: WalkedEntry, ttlMs: number | null): StickEntry {
  return { key, server, owner, epoch, state, ttlMs };
}

/** A place as text that fits into a URL. */
function cursorOf({ shard, born }: WalkPlace): string {
  return `${shard}.${born}`;
}

/** Any other text begins anew. */
function placeOf(cursor: string | null): WalkPlace {
  const [, shard, born] = /^(\d{1,3})\.(\d{1,15}|-1)$/.exec(cursor ?? '') ?? [];
  return { shard: Number(shard ?? 0), born: Number(born ?? -1) };
}
