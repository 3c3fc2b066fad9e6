import type { ClaimAnswer, Claimant, ClaimRequest, Pin, StickEntry, StickTable, StickTimes } from './contract.ts';
import { type Entry, EntryIndex, EntryList } from './entries.ts';

export interface MemoryTableOptions {
  /** Entries at most, at least 1. */
  readonly size: number;
  readonly times: StickTimes;
  /** Milliseconds of a clock that never goes back. Default: `performance.now()`. */
  readonly now?: () => number;
}

/** Chooses a server where no usable one holds the key. `displaced` held it before. Null: there is none. */
export type Assign = (displaced: string | null, request: ClaimRequest) => string | null;

/** Expired entries that one call removes at most: more than it can add, and too few to be felt. */
const sweptPerCall = 8;
/** Entries of a dead owner that one turn of the event loop changes: well under 10 ms. */
const sliceOfGone = 2000;

/**
 * The stick table of one process. Every method is synchronous and takes constant time, but `ownerGone`, which takes one
 * slice a turn. It holds no timer: entries expire when they are asked for, and from the heads of its lists at each call.
 *
 * It never holds more than `size` entries. To make room, the entry that cools for the longest goes. Pinned entries and
 * those that a session waits for never go: then a claim is answered `full`, and a confirmation of a new key is not kept.
 *
 * What lives on one clock stands in one list, so each list is in the order of expiry: `#waiting` (pending entries, and
 * cooling ones that a claim found with less than `pendingMs` left), `#cooling`, and one list for each owner's pinned.
 */
export class MemoryTable {
  readonly #size: number;
  readonly #times: StickTimes;
  readonly #now: () => number;
  readonly #index = new EntryIndex();
  readonly #waiting = new EntryList();
  readonly #cooling = new EntryList();
  readonly #clocks: readonly EntryList[] = [this.#waiting, this.#cooling];
  readonly #pinned = new Map<string, EntryList>();
  readonly #gone = new Set<string>();
  /** One string for each server and owner: those that arrive in messages are new ones each time. */
  readonly #names = new Map<string, string>();

  constructor(options: MemoryTableOptions) {
    this.#size = options.size;
    this.#times = options.times;
    this.#now = options.now ?? ((): number => Math.floor(performance.now()));
  }

  /** Entries held. One that has expired counts until some call passes by. */
  get count(): number {
    return this.#index.size;
  }

  /**
   * As `StickTable.claim`. Where the request has no candidate and no usable server holds the key, `assign` is asked, once,
   * and only if the entry can be written.
   */
  claim(request: ClaimRequest, assign?: Assign): ClaimAnswer {
    const now = this.#sweep();
    const found = this.#find(request.key, now);
    if (found && request.usable.includes(found.server)) {
      this.#keepAlive(found, now);
      return { kind: 'held', server: found.server, degraded: false };
    }
    const displaced = found?.server ?? null;
    if (request.candidate === null && !assign) return { kind: 'free', displaced, degraded: false };
    if (!found && !this.#hasRoom(now)) return { kind: 'full', degraded: false };
    const server = request.candidate ?? assign?.(displaced, request) ?? null;
    if (server === null) return { kind: 'free', displaced, degraded: false };
    const wasPending = found?.state === 'pending';
    const entry = found ?? this.#add(request.key);
    this.#write(entry, server, request.by);
    this.#wait(entry, 'pending', now);
    return { kind: 'claimed', server, displaced: wasPending ? null : displaced, degraded: false };
  }

  /** As `StickTable.confirm`. */
  confirm(pin: Pin): void {
    const now = this.#sweep();
    const entry = this.#find(pin.key, now) ?? (this.#hasRoom(now) ? this.#add(pin.key) : null);
    if (entry) this.#pin(entry, pin, now);
  }

  /** As `StickTable.abandon`. */
  abandon(key: string, by: Claimant, displaced: string | null): void {
    const now = this.#sweep();
    const entry = this.#find(key, now);
    if (entry?.state !== 'pending' || !isBy(entry, by)) return;
    if (displaced === null) {
      this.#remove(entry);
      return;
    }
    this.#write(entry, displaced, by);
    this.#cool(entry, now);
  }

  /** As `StickTable.release`. */
  release(pin: Pin): void {
    const now = this.#sweep();
    const entry = this.#find(pin.key, now);
    if (entry && entry.state !== 'cooling' && isBy(entry, pin.by)) this.#cool(entry, now);
  }

  /** As `StickTable.renew`. */
  renew(pins: readonly Pin[]): string[] {
    const superseded: string[] = [];
    const now = this.#sweep();
    for (const pin of pins) {
      const found = this.#find(pin.key, now);
      if (found && found.server !== pin.server) {
        if (found.state !== 'pending') superseded.push(pin.key);
      } else if (found?.state !== 'pinned') {
        const entry = found ?? (this.#hasRoom(now) ? this.#add(pin.key) : null);
        if (entry) this.#pin(entry, pin, now);
      }
    }
    return superseded;
  }

  /** The entry of a key, or null. */
  peek(key: string): StickEntry | null {
    const now = this.#now();
    const entry = this.#find(key, now);
    if (!entry) return null;
    const { server, owner, epoch, state } = entry;
    return { key, server, owner, epoch, state, ttlMs: state === 'pinned' ? null : entry.expiresAtMs - now };
  }

  /**
   * A worker has died: its pending claims are void at once, and its pinned entries start cooling, some thousand in each
   * turn of the event loop. Resolves with their number when all do. Its name must not come back.
   */
  async ownerGone(owner: string): Promise<number> {
    this.#gone.add(owner);
    const list = this.#pinned.get(owner);
    this.#pinned.delete(owner);
    this.#names.delete(owner);
    let cooled = 0;
    for (let entry = list?.oldest ?? null; list && entry; entry = list.oldest) {
      this.#cool(entry, this.#now());
      if (++cooled % sliceOfGone === 0) await new Promise(resolve => setImmediate(resolve));
    }
    return cooled;
  }

  #find(key: string, now: number): Entry | null {
    const entry = this.#index.get(key);
    if (!entry) return null;
    if (!this.#isOver(entry, now)) return entry;
    this.#remove(entry);
    return null;
  }

  #isOver(entry: Entry, now: number): boolean {
    if (entry.state === 'pinned') return false;
    return entry.expiresAtMs <= now || (entry.state === 'pending' && this.#gone.has(entry.owner));
  }

  /** Removes expired entries from the heads of both lists, a few at a time. */
  #sweep(): number {
    const now = this.#now();
    for (const list of this.#clocks) {
      for (let i = 0; i < sweptPerCall; i++) {
        const entry = list.oldest;
        if (!entry || !this.#isOver(entry, now)) break;
        this.#remove(entry);
      }
    }
    return now;
  }

  #hasRoom(now: number): boolean {
    if (this.#index.size < this.#size) return true;
    const waiting = this.#waiting.oldest;
    const victim = waiting && this.#isOver(waiting, now) ? waiting : this.#cooling.oldest;
    if (!victim) return false;
    this.#remove(victim);
    return true;
  }

  #add(key: string): Entry {
    const entry: Entry = {
      key,
      server: '',
      owner: '',
      epoch: 0,
      state: 'pending',
      expiresAtMs: 0,
      list: null,
      older: null,
      newer: null,
    };
    this.#index.add(entry);
    return entry;
  }

  #remove(entry: Entry): void {
    entry.list?.remove(entry);
    this.#index.delete(entry.key);
  }

  #write(entry: Entry, server: string, by: Claimant): void {
    entry.server = this.#name(server);
    entry.owner = this.#name(by.owner);
    entry.epoch = by.epoch;
  }

  /** A claim relies on the entry: it lives for `pendingMs` at least. */
  #keepAlive(entry: Entry, now: number): void {
    if (entry.state !== 'pinned' && entry.expiresAtMs - now < this.#times.pendingMs)
      this.#wait(entry, entry.state, now);
  }

  #wait(entry: Entry, state: Entry['state'], now: number): void {
    entry.state = state;
    entry.expiresAtMs = now + this.#times.pendingMs;
    this.#waiting.append(entry);
  }

  #cool(entry: Entry, now: number): void {
    entry.state = 'cooling';
    entry.expiresAtMs = now + this.#times.expireMs;
    this.#cooling.append(entry);
  }

  /** What a dead owner said last may arrive after the news of its death: its client is gone, too. */
  #pin(entry: Entry, pin: Pin, now: number): void {
    this.#write(entry, pin.server, pin.by);
    if (this.#gone.has(entry.owner)) {
      this.#cool(entry, now);
      return;
    }
    entry.state = 'pinned';
    this.#pinnedBy(entry.owner).append(entry);
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

function isBy(entry: Entry, by: Claimant): boolean {
  return entry.owner === by.owner && entry.epoch === by.epoch;
}

/** The table behind the contract that all adapters share, for who is in the same process. */
export function localTable(table: MemoryTable): StickTable {
  return {
    claim: async request => table.claim(request),
    confirm: async pin => table.confirm(pin),
    abandon: async (key, by, displaced) => table.abandon(key, by, displaced),
    release: async pin => table.release(pin),
    renew: async pins => table.renew(pins),
    get: async key => table.peek(key),
    close: async () => {},
  };
}
