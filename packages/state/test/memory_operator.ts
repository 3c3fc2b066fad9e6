/** A memory table behind the contract for operators, so that one suite holds for both stores. */
import type { StickEntry } from '../src/contract.ts';
import type { MemoryTable } from '../src/memory.ts';
import type { WalkPlace } from '../src/memory_walk.ts';
import type { OperatorTable, TableSlice } from '../src/operator_table.ts';

/** Entries in one slice of the memory table. */
const sliceSize = 512;

export function memoryOperatorTable(table: MemoryTable): OperatorTable {
  return {
    slice: async (cursor, isWanted) => memorySlice(table, cursor, isWanted),
    get: async key => table.peek(key),
    set: async (key, server) => table.set(key, server) === 'written',
    put: async entries => entries.map(entry => table.put(entry)),
    remove: async keys => keys.reduce((count, key) => count + (table.remove(key) ? 1 : 0), 0),
    count: async () => table.count,
  };
}

function memorySlice(table: MemoryTable, cursor: string | null, isWanted?: (key: string) => boolean): TableSlice {
  const entries: StickEntry[] = [];
  let seen = 0;
  const walk = table.walk(walkPlace(cursor));
  const isMore = walk.slice(({ key, server, owner, epoch, state }, ttlMs) => {
    if (isWanted === undefined || isWanted(key)) entries.push({ key, server, owner, epoch, state, ttlMs });
    return ++seen < sliceSize;
  });
  return { entries, next: isMore ? walkCursor(walk.place) : null };
}

function walkCursor({ shard, born }: WalkPlace): string {
  return `${shard}.${born}`;
}

function walkPlace(cursor: string | null): WalkPlace {
  const [, shard, born] = /^(\d{1,3})\.(\d{1,15}|-1)$/.exec(cursor ?? '') ?? [];
  return { shard: Number(shard ?? 0), born: Number(born ?? -1) };
}
