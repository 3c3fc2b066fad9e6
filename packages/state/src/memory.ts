import type { ClaimAnswer, Claimant, ClaimRequest, Pin, StickEntry, StickTimes } from './contract.ts';
import type { Entry } from './entries.ts';
import { EntryStore } from './entry_store.ts';
import { MemoryWalk, type WalkPlace } from './memory_walk.ts';

export interface MemoryTableOptions {
  /** Entries at most, at least 1. */
  readonly size: number;
  readonly times: StickTimes;
  /** Milliseconds of a clock that never goes back. Default: `performance.now()`. */
  readonly now?: () => number;
}

/** Chooses a server where no usable one holds the key. `displaced` held it before. Null: there is none. */
export type Assign = (displaced: string | null, request: ClaimRequest) => string | null;

/** What became of an entry that was put in by hand: written; kept, for it is a live session's; or there is no room. */
export type PutResult = 'written' | 'kept' | 'full';

/** An entry that an operator puts in; `ttlMs` null: the whole `expire`. */
export interface PutEntry {
  readonly key: string;
  readonly server: string;
  readonly ttlMs: number | null;
}

/** Entries of a dead owner that one turn of the event loop changes: well under 10 ms. */
const sliceOfGone = 2000;

/**
 * The stick table of one process. Every method is synchronous and takes constant time, but `ownerGone`, which takes one
 * slice a turn. It holds no timer: entries expire when they are asked for, and from the heads of its lists at each call.
 *
 * It never holds more than `size` entries. To make room, the entry that cools for the longest goes. Pinned entries and
 * those that a session waits for never go: then a claim is answered `full`, and a confirmation of a new key is not kept.
 */
export class MemoryTable {
  readonly #store: EntryStore;

  constructor({ size, times, now = (): number => Math.floor(performance.now()) }: MemoryTableOptions) {
    this.#store = new EntryStore({ size, times, now });
  }

  /** Entries held. One that has expired counts until some call passes by. */
  get count(): number {
    return this.#store.index.size;
  }

  /**
   * As `StickTable.claim`. Where the request has no candidate and no usable server holds the key, `assign` is asked, once,
   * and only if the entry can be written.
   */
  claim(request: ClaimRequest, assign?: Assign): ClaimAnswer {
    const now = this.#store.sweep();
    const found = this.#store.find(request.key, now);
    if (found && request.usable.includes(found.server)) {
      this.#store.keepAlive(found, now);
      return { kind: 'held', server: found.server, degraded: false };
    }
    const displaced = found?.server ?? null;
    if (request.candidate === null && !assign) return { kind: 'free', displaced, degraded: false };
    if (!found && !this.#store.hasRoom(now)) return { kind: 'full', degraded: false };
    const server = request.candidate ?? assign?.(displaced, request) ?? null;
    if (server === null) return { kind: 'free', displaced, degraded: false };
    const wasPending = found?.state === 'pending';
    const entry = found ?? this.#store.add(request.key);
    this.#store.write(entry, server, request.by);
    this.#store.wait(entry, 'pending', now);
    return { kind: 'claimed', server, displaced: wasPending ? null : displaced, degraded: false };
  }

  /** As `StickTable.confirm`. */
  confirm(pin: Pin): void {
    const now = this.#store.sweep();
    const entry = this.#store.obtain(pin.key, now);
    if (entry) this.#store.pin(entry, pin, now);
  }

  /** As `StickTable.abandon`. */
  abandon(key: string, by: Claimant, displaced: string | null): void {
    const now = this.#store.sweep();
    const entry = this.#store.find(key, now);
    if (entry?.state !== 'pending' || !isBy(entry, by)) return;
    if (displaced === null) {
      this.#store.remove(entry);
      return;
    }
    this.#store.write(entry, displaced, by);
    this.#store.cool(entry, now);
  }

  /** As `StickTable.release`. */
  release(pin: Pin): void {
    const now = this.#store.sweep();
    const entry = this.#store.find(pin.key, now);
    if (entry && entry.state !== 'cooling' && isBy(entry, pin.by)) this.#store.cool(entry, now);
  }

  /** As `StickTable.forget`. */
  forget(pin: Pin): void {
    const now = this.#store.sweep();
    const entry = this.#store.find(pin.key, now);
    if (entry && isBy(entry, pin.by)) this.#store.remove(entry);
  }

  /** As `StickTable.renew`. */
  renew(pins: readonly Pin[]): string[] {
    const superseded: string[] = [];
    const now = this.#store.sweep();
    for (const pin of pins) {
      const found = this.#store.find(pin.key, now);
      if (found && found.server !== pin.server) {
        if (found.state !== 'pending') superseded.push(pin.key);
      } else if (found?.state !== 'pinned') {
        const entry = found ?? this.#store.obtain(pin.key, now);
        if (entry) this.#store.pin(entry, pin, now);
      }
    }
    return superseded;
  }

  /** The entry of a key, or null. */
  peek(key: string): StickEntry | null {
    const now = this.#store.now();
    const entry = this.#store.find(key, now);
    if (!entry) return null;
    const { server, owner, epoch, state } = entry;
    return { key, server, owner, epoch, state, ttlMs: state === 'pinned' ? null : entry.expiresAtMs - now };
  }

  /**
   * A worker has died: its pending claims are void at once, and its pinned entries start cooling, some thousand in each
   * turn of the event loop. Resolves with their number when all do. Its name must not come back.
   */
  async ownerGone(owner: string): Promise<number> {
    const list = this.#store.ownerGone(owner);
    let cooled = 0;
    for (let entry = list?.oldest ?? null; list && entry; entry = list.oldest) {
      this.#store.cool(entry, this.#store.now());
      if (++cooled % sliceOfGone === 0) await new Promise(resolve => setImmediate(resolve));
    }
    return cooled;
  }

  /**
   * Other limits from now on. A smaller table lets its surplus go a few entries at each call, those that cool for the
   * longest first; pinned and pending ones never go. New times hold for what is written from now on: an entry that cools
   * or waits keeps its deadline, and a live session's has none (P3).
   */
  reconfigure({ size, times }: { readonly size: number; readonly times: StickTimes }): void {
    this.#store.reconfigure(size, times);
  }

  /** Shows all entries in slices. `from`: where an earlier walk has left off. */
  walk(from: WalkPlace = { shard: 0, born: -1 }): MemoryWalk {
    const ttlOf = (entry: Entry, now: number): number | null => {
      if (this.#store.isOver(entry, now)) return 0;
      return entry.state === 'pinned' ? null : entry.expiresAtMs - now;
    };
    return new MemoryWalk(this.#store.index, { now: this.#store.now, ttlOf }, from);
  }

  /**
   * Gives a key its home by hand, whatever stood there: it cools from now on as if its client had just left. A session that
   * is live elsewhere stays where it is, and its end does not touch the entry.
   */
  set(key: string, server: string): Exclude<PutResult, 'kept'> {
    const now = this.#store.sweep();
    const entry = this.#store.obtain(key, now);
    if (!entry) return 'full';
    this.#store.write(entry, server, nobody);
    this.#store.cool(entry, now);
    return 'written';
  }

  /** As `set`, with its own time, and never over a pinned or pending entry. */
  put({ key, server, ttlMs }: PutEntry): PutResult {
    const now = this.#store.sweep();
    const found = this.#store.find(key, now);
    if (found && found.state !== 'cooling') return 'kept';
    const entry = found ?? this.#store.obtain(key, now);
    if (!entry) return 'full';
    this.#store.write(entry, server, nobody);
    this.#store.coolFor(entry, ttlMs, now);
    return 'written';
  }

  /** From now on the listener is told of every key whose entry has changed or gone; null: nobody is. It must not throw. */
  watch(listener: ((key: string) => void) | null): void {
    this.#store.watch(listener);
  }

  /** Takes over an entry of another process's table as it is there, whatever stood here. False: there is no room. */
  adopt({ key, server, owner, epoch, state, ttlMs }: StickEntry): boolean {
    const now = this.#store.sweep();
    const entry = this.#store.obtain(key, now);
    if (!entry) return false;
    if (state === 'pinned') {
      this.#store.pin(entry, { key, server, by: { owner, epoch } }, now);
      return true;
    }
    this.#store.write(entry, server, { owner, epoch });
    if (state === 'pending') this.#store.wait(entry, 'pending', now);
    else this.#store.coolFor(entry, ttlMs, now);
    return true;
  }

  /** Removes a key's entry, whatever its state; false: there was none. A live session renews it. */
  remove(key: string): boolean {
    const entry = this.#store.find(key, this.#store.now());
    if (entry) this.#store.remove(entry);
    return entry !== null;
  }
}

/** Who puts entries in by hand: no session's word is ever taken for theirs. */
const nobody: Claimant = { owner: '', epoch: 0 };

function isBy(entry: Entry, by: Claimant): boolean {
  return entry.owner === by.owner && entry.epoch === by.epoch;
}
