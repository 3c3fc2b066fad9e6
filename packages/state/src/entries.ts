import type { EntryState } from './contract.ts';

/**
 * One entry of the memory table, and its link in the list that holds it. All fields are set at once and never deleted,
 * so that V8 keeps a million of them in one compact shape.
 */
export interface Entry {
  readonly key: string;
  /** Grows with each entry that a table takes in. */
  readonly born: number;
  server: string;
  owner: string;
  epoch: number;
  state: EntryState;
  /** On the table's clock; meaningless while pinned. */
  expiresAtMs: number;
  list: EntryList | null;
  older: Entry | null;
  newer: Entry | null;
}

/** Entries in the order in which they were appended. An entry is in one list at most. */
export class EntryList {
  #oldest: Entry | null = null;
  #newest: Entry | null = null;

  get oldest(): Entry | null {
    return this.#oldest;
  }

  /** Puts the entry last, wherever it was before. */
  append(entry: Entry): void {
    entry.list?.remove(entry);
    entry.list = this;
    entry.older = this.#newest;
    if (this.#newest) this.#newest.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
  }

  /** The entry must be in this list. */
  remove(entry: Entry): void {
    if (entry.older) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    if (entry.newer) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    entry.list = null;
    entry.older = null;
    entry.newer = null;
  }
}

const shardCount = 256;

/**
 * Entries by key. One Map of a million entries stands still for 50 ms and more each time it grows; many small ones never
 * do. Keys are spread by their last characters, which differ most between devices; keys chosen to fall together only
 * make it one Map again.
 */
export class EntryIndex {
  readonly #shards: readonly Map<string, Entry>[] = Array.from({ length: shardCount }, () => new Map());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Parts that entriesOf() knows. */
  get shards(): number {
    return shardCount;
  }

  /** The entries of one part, in the order in which they came. Stays right while the index changes. */
  entriesOf(shard: number): IterableIterator<Entry> {
    return (this.#shards[shard] ?? new Map<string, Entry>()).values();
  }

  get(key: string): Entry | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  add(entry: Entry): void {
    this.#shards[shardOf(entry.key)]?.set(entry.key, entry);
    this.#size++;
  }

  delete(key: string): void {
    if (this.#shards[shardOf(key)]?.delete(key)) this.#size--;
  }
}

function shardOf(key: string): number {
  let hash = key.length;
  for (let i = Math.max(0, key.length - 6); i < key.length; i++) hash = Math.imul(hash, 31) + key.charCodeAt(i);
  return (hash ^ (hash >>> 8)) & (shardCount - 1);
}
