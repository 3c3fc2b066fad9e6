/**
 * A stick table as operators use it: to look through all of it, and to change entries by hand. Every adapter passes the
 * same conformance suite (`test/operator_conformance.ts`).
 */
import type { StickEntry } from './contract.ts';
import type { PutEntry, PutResult } from './memory.ts';

/** Some entries, and the cursor of those behind them; null: that were all. A slice may be empty and not the last. */
export interface TableSlice {
  readonly entries: readonly StickEntry[];
  readonly next: string | null;
}

/** The one in Redis rejects with a StateError. */
export interface OperatorTable {
  /**
   * The slice behind a cursor; null: the first. An entry that is there all the time is seen: in memory exactly once, in
   * Redis at least once (twice where Redis resizes its table meanwhile). A cursor nobody gave out begins anew. Keys that
   * are not wanted are left out, and cost Redis nothing more.
   */
  slice(cursor: string | null, isWanted?: (key: string) => boolean): Promise<TableSlice>;
  get(key: string): Promise<StickEntry | null>;
  /** Gives a key its home, whatever stood there: it cools as if its client had just left. False: there is no room. */
  set(key: string, server: string): Promise<boolean>;
  /** Imports entries, but never over those of live sessions. One result for each, in order. */
  put(entries: readonly PutEntry[]): Promise<readonly PutResult[]>;
  /** Removes entries, whatever their state; answers how many there were. Live sessions renew theirs. */
  remove(keys: readonly string[]): Promise<number>;
  /** How many there are; null: that could not be counted in so many milliseconds. */
  count(withinMs?: number): Promise<number | null>;
}
