import type { Claimant, Pin, StickTimes } from './contract.ts';
import { Countdown } from './countdown.ts';
import { type Entry, EntryIndex, EntryList } from './entries.ts';

/** What one call removes at most of a table that has been made smaller. */
const shrunkPerCall = 8;

export interface EntryStoreOptions {
  readonly size: number;
  readonly times: StickTimes;
  readonly now: () => number;
}

/**
 * The entries of a memory table, and the lists they stand in: whatever counts down is in the `Countdown`; pinned entries
 * stand in one list for each owner. Every entry is in the index, and in one list from the moment it has a state.
 */
export class EntryStore {
  readonly index: EntryIndex = new EntryIndex();
  readonly now: () => number;
  #size: number;
  #times: StickTimes;
  readonly #countdown = new Countdown();
  readonly #pinned = new Map<string, EntryList>();
  readonly #gone = new Set<string>();
  /** One string for each server and owner: those that arrive in messages are new ones each time. */
  readonly #names = new Map<string, string>();
  #nextBorn = 0;
  #watcher: ((key: string) => void) | null = null;

  constructor({ size, times, now }: EntryStoreOptions) {
    this.#size = size;
    this.#times = times;
    this.now = now;
  }

  /** As `MemoryTable.watch`. */
  watch(listener: ((key: string) => void) | null): void {
    this.#watcher = listener;
  }

  /** New times hold for what is written from now on. */
  reconfigure(size: number, times: StickTimes): void {
    const isSame = times.pendingMs === this.#times.pendingMs && times.expireMs === this.#times.expireMs;
    this.#size = size;
    this.#times = times;
    if (!isSame) this.#countdown.beginAnew();
  }

  /** The owner is dead: answers its pinned entries, which are nobody's now and wait for cool(). */
  ownerGone(owner: string): EntryList | null {
    this.#gone.add(owner);
    const list = this.#pinned.get(owner) ?? null;
    this.#pinned.delete(owner);
    this.#names.delete(owner);
    return list;
  }

  /** The entry for a key, a new one where there is none; null: there is no room. */
  obtain(key: string, now: number): Entry | null {
    return this.find(key, now) ?? (this.hasRoom(now) ? this.add(key) : null);
  }

  /** The entry of a key; null: there is none, or it was over, and is none any more. */
  find(key: string, now: number): Entry | null {
    const entry = this.index.get(key);
    if (!entry) return null;
    if (!this.isOver(entry, now)) return entry;
    this.remove(entry);
    return null;
  }

  /** It has expired, or its claimant is dead. */
  isOver(entry: Entry, now: number): boolean {
    if (entry.state === 'pinned') return false;
    return entry.expiresAtMs <= now || (entry.state === 'pending' && this.#gone.has(entry.owner));
  }

  /** Removes what has expired, and what a smaller table has too many of, a few entries at a time. Answers the time. */
  sweep(): number {
    const now = this.now();
    const isOver = (entry: Entry): boolean => this.isOver(entry, now);
    this.#countdown.sweep(isOver, entry => this.remove(entry));
    for (let i = 0; i < shrunkPerCall && this.index.size > this.#size; i++) {
      const victim = this.#countdown.victim(isOver);
      if (!victim) break;
      this.remove(victim);
    }
    return now;
  }

  /** Makes room where there is none, if an entry may go. */
  hasRoom(now: number): boolean {
    if (this.index.size < this.#size) return true;
    const victim = this.#countdown.victim(entry => this.isOver(entry, now));
    if (!victim) return false;
    this.remove(victim);
    return true;
  }

  /** It needs room, and a state. */
  add(key: string): Entry {
    const entry: Entry = {
      key,
      born: this.#nextBorn++,
      server: '',
      owner: '',
      epoch: 0,
      state: 'pending',
      expiresAtMs: 0,
      list: null,
      older: null,
      newer: null,
    };
    this.index.add(entry);
    return entry;
  }

  remove(entry: Entry): void {
    entry.list?.remove(entry);
    this.index.delete(entry.key);
    this.#watcher?.(entry.key);
  }

  /** Who has it, and where. */
  write(entry: Entry, server: string, by: Claimant): void {
    entry.server = this.#name(server);
    entry.owner = this.#name(by.owner);
    entry.epoch = by.epoch;
  }

  /** A claim relies on the entry: it lives for `pendingMs` at least. */
  keepAlive(entry: Entry, now: number): void {
    if (entry.state !== 'pinned' && entry.expiresAtMs - now < this.#times.pendingMs) this.wait(entry, entry.state, now);
  }

  /** A session waits for it: it lives for `pendingMs` from now on. */
  wait(entry: Entry, state: Entry['state'], now: number): void {
    entry.state = state;
    entry.expiresAtMs = now + this.#times.pendingMs;
    this.#countdown.wait(entry);
    this.#watcher?.(entry.key);
  }

  /** Its client is gone: it lives for `expireMs` from now on. */
  cool(entry: Entry, now: number): void {
    entry.state = 'cooling';
    entry.expiresAtMs = now + this.#times.expireMs;
    this.#countdown.cool(entry);
    this.#watcher?.(entry.key);
  }

  /** As cool(), for a time of its own; null: the whole `expire`. */
  coolFor(entry: Entry, ttlMs: number | null, now: number): void {
    this.cool(entry, now);
    if (ttlMs === null || ttlMs >= this.#times.expireMs) return;
    entry.expiresAtMs = now + Math.max(1, ttlMs);
    this.#countdown.coolApart(entry);
  }

  /** What a dead owner said last may arrive after the news of its death: its client is gone, too. */
  pin(entry: Entry, pin: Pin, now: number): void {
    this.write(entry, pin.server, pin.by);
    if (this.#gone.has(entry.owner)) {
      this.cool(entry, now);
      return;
    }
    entry.state = 'pinned';
    this.#pinnedBy(entry.owner).append(entry);
    this.#watcher?.(entry.key);
  }

  #pinnedBy(owner: string): EntryList {
    let list = this.#pinned.get(owner);
    if (!list) {
      list = new EntryList();
      this.#pinned.set(owner, list);
    }
    return list;
  }

  #name(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    this.#names.set(text, text);
    return text;
  }
}
