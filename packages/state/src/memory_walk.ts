import type { Claimant, EntryState } from './contract.ts';
import type { Entry, EntryIndex } from './entries.ts';

/** One entry on a walk. It is the table's own: read it at once, keep nothing of it. */
export interface WalkedEntry extends Claimant {
  readonly key: string;
  readonly server: string;
  readonly state: EntryState;
  /** Grows with each entry that the table takes in. */
  readonly born: number;
}

/** Where a walk goes on. */
export interface WalkPlace {
  readonly shard: number;
  /** The last entry seen there; -1: none. */
  readonly born: number;
}

/** Sees an entry; `ttlMs` is null while it is pinned. False: enough for now. */
export type Visit = (entry: WalkedEntry, ttlMs: number | null) => boolean;

interface WalkClock {
  now(): number;
  /** What is left; 0: the entry is over, and not seen. */
  ttlOf(entry: Entry, now: number): number | null;
}

/**
 * A way through all entries of a memory table, in slices as long as the visitor likes. The table may change between them:
 * an entry that is there from the beginning to the end is seen exactly once, one that comes or goes meanwhile at most
 * once. It makes no garbage of its own, holds nothing, and need not be finished.
 */
export class MemoryWalk {
  readonly #index: EntryIndex;
  readonly #clock: WalkClock;
  #shard: number;
  #born: number;
  #entries: IterableIterator<Entry> | null = null;

  constructor(index: EntryIndex, clock: WalkClock, from: WalkPlace) {
    this.#index = index;
    this.#clock = clock;
    this.#shard = from.shard;
    this.#born = from.born;
  }

  /** Behind the entry that was seen last. */
  get place(): WalkPlace {
    return { shard: this.#shard, born: this.#born };
  }

  /** Shows entries until the visitor has enough. False: that were all. */
  slice(visit: Visit): boolean {
    const now = this.#clock.now();
    for (; this.#shard < this.#index.shards; this.#shard++) {
      this.#entries ??= this.#index.entriesOf(this.#shard);
      // A Map keeps its order, takes new entries in at its end, and its iterator can be left and taken up again.
      for (const entry of this.#entries) {
        if (entry.born <= this.#born) continue;
        const ttlMs = this.#clock.ttlOf(entry, now);
        if (ttlMs === 0) continue;
        this.#born = entry.born;
        if (!visit(entry, ttlMs)) return true;
      }
      this.#entries = null;
      this.#born = -1;
    }
    return false;
  }
}
