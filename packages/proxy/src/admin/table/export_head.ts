import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MemoryTable, MemoryWalk, OperatorTable } from '@limpet/state';
import type { EntryFilter } from '../control.ts';
import { isOurs, matches } from './entry_filter.ts';
import type { EntryText } from './entry_text.ts';
import { copyOf } from './memory_scan.ts';

/** What one turn of the event loop may give to a head; looked at once in so many entries. */
const TURN_MS = 1;
const LOOK_EVERY = 32;
/** What one chunk has at most, but for its last line. */
const CHUNK_CHARACTERS = 16_384;

/** How the entries of a walk are chosen and written. */
export interface HeadText {
  readonly filter: EntryFilter;
  readonly text: EntryText;
}

/**
 * The beginning of a walk, written by this process itself: a thread takes most of a second to start on a busy machine, and
 * who asks with socat waits half a second. Bounded work in each turn of the event loop.
 */
export interface ExportHead {
  /** Entries looked at so far. */
  readonly seen: number;
  /** The next entries as text, perhaps none; null: those were all. */
  next(): Promise<Buffer | null>;
}

/** Of a table in the memory of this process. */
export class MemoryHead implements ExportHead {
  /** Whoever goes on begins where it stands. */
  readonly walk: MemoryWalk;
  readonly #how: HeadText;
  #seen = 0;
  #isOver = false;

  constructor(table: MemoryTable, how: HeadText) {
    this.walk = table.walk();
    this.#how = how;
  }

  get seen(): number {
    return this.#seen;
  }

  async next(): Promise<Buffer | null> {
    if (this.#isOver) return null;
    if (this.#seen > 0) await nextTurn();
    const { filter, text } = this.#how;
    const endMs = performance.now() + TURN_MS;
    let lines = '';
    this.#isOver = !this.walk.slice((entry, ttlMs) => {
      this.#seen++;
      if (matches(entry, ttlMs, filter)) lines += text(copyOf(entry, ttlMs));
      if (this.#seen % LOOK_EVERY > 0) return true;
      return lines.length < CHUNK_CHARACTERS && performance.now() < endMs;
    });
    return Buffer.from(lines);
  }
}

/** Of a table in Redis. */
export class RedisHead implements ExportHead {
  readonly #table: OperatorTable;
  readonly #how: HeadText;
  #cursor: string | null = null;
  #seen = 0;
  #isOver = false;

  constructor(table: OperatorTable, how: HeadText) {
    this.#table = table;
    this.#how = how;
  }

  get seen(): number {
    return this.#seen;
  }

  /** Whoever goes on begins here. */
  get cursor(): string | null {
    return this.#cursor;
  }

  async next(): Promise<Buffer | null> {
    if (this.#isOver) return null;
    const { filter, text } = this.#how;
    let looked = 0;
    const { entries, next } = await this.#table.slice(this.#cursor, key => {
      looked++;
      return isOurs(key, filter);
    });
    this.#seen += looked;
    this.#cursor = next;
    this.#isOver = next === null;
    // A slice is some 256 entries: well under a millisecond.
    const wanted = entries.filter(entry => matches(entry, entry.ttlMs, filter));
    return Buffer.from(wanted.map(text).join(''));
  }
}
