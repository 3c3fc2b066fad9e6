import type { MemoryTable, MemoryWalk } from '@limpet/state';
import type { EntryTuple } from './wire.ts';

export type Tables = ReadonlyMap<string, MemoryTable>;

/** Some 40 kB of JSON: it holds up neither event loop for more than a few milliseconds. */
const SLICE = 500;
/** Slices that the other side has not answered. */
const WINDOW = 4;
/** How long a change waits for others once nobody waits for it. */
const CALM_MS = 20;

/**
 * Sends the stick tables of the old process to the new one, entry by entry as they are at that moment, and then every
 * entry that has changed, until it is closed. What waits to be sent is a set of keys, so it is bounded by the table.
 */
export class TableSender {
  readonly #tables: Tables;
  readonly #send: (backend: string, entries: readonly EntryTuple[]) => Promise<void>;
  /** backend → keys to be told of. */
  readonly #changed = new Map<string, Set<string>>();
  readonly #walks: [backend: string, walk: MemoryWalk][];
  #pumping: Promise<void> | null = null;
  #soon: NodeJS.Timeout | null = null;
  #unanswered = 0;
  #onAnswer: () => void = () => {};
  #closed = false;

  constructor(tables: Tables, send: (backend: string, entries: readonly EntryTuple[]) => Promise<void>) {
    this.#tables = tables;
    this.#send = send;
    this.#walks = [...tables].map(([backend, table]) => [backend, table.walk()]);
    for (const [backend, table] of tables) table.watch(key => this.#change(backend, key));
  }

  /** Resolves when the other side has been told all that there is to tell now. */
  async flush(): Promise<void> {
    while (!this.#closed && (this.#walks.length > 0 || this.#changed.size > 0 || this.#unanswered > 0)) {
      this.#pumping ??= this.#pump();
      await this.#pumping;
    }
  }

  /** The other side has taken one slice over. */
  taken(): void {
    this.#unanswered -= 1;
    this.#onAnswer();
  }

  close(): void {
    this.#closed = true;
    for (const table of this.#tables.values()) table.watch(null);
    if (this.#soon !== null) clearTimeout(this.#soon);
    this.#onAnswer();
  }

  #change(backend: string, key: string): void {
    const keys = this.#changed.get(backend);
    if (keys === undefined) this.#changed.set(backend, new Set([key]));
    else keys.add(key);
    if (this.#pumping === null) this.#pumpSoon();
  }

  #pumpSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#pumping ??= this.#pump();
    }, CALM_MS);
  }

  async #pump(): Promise<void> {
    while (!this.#closed) {
      const slice = this.#nextChanged() ?? this.#nextWalked();
      if (slice === null) break;
      this.#unanswered += 1;
      await this.#send(slice.backend, slice.entries);
      await new Promise(resolve => setImmediate(resolve));
      await this.#room(WINDOW);
    }
    await this.#room(1);
    this.#pumping = null;
    if (this.#changed.size > 0 && !this.#closed) this.#pumpSoon();
  }

  async #room(below: number): Promise<void> {
    while (this.#unanswered >= below && !this.#closed) {
      await new Promise<void>(resolve => {
        this.#onAnswer = resolve;
      });
    }
  }

  #nextChanged(): { backend: string; entries: EntryTuple[] } | null {
    const [next] = this.#changed;
    if (next === undefined) return null;
    const [backend, keys] = next;
    const some = [...take(keys, SLICE)];
    for (const key of some) keys.delete(key);
    const table = this.#tables.get(backend);
    const entries = some.map((key): EntryTuple => {
      const entry = table?.peek(key);
      if (!entry) return [key];
      return [key, entry.server, entry.owner, entry.epoch, entry.state, entry.ttlMs];
    });
    // peek() may have removed one that is over, which is told of already.
    for (const key of some) keys.delete(key);
    if (keys.size === 0) this.#changed.delete(backend);
    return { backend, entries };
  }

  #nextWalked(): { backend: string; entries: EntryTuple[] } | null {
    const [next] = this.#walks;
    if (next === undefined) return null;
    const [backend, walk] = next;
    const entries: EntryTuple[] = [];
    const hasMore = walk.slice(({ key, server, owner, epoch, state }, ttlMs) => {
      entries.push([key, server, owner, epoch, state, ttlMs]);
      return entries.length < SLICE;
    });
    if (!hasMore) this.#walks.shift();
    return { backend, entries };
  }
}

function* take<Item>(items: Iterable<Item>, count: number): Iterable<Item> {
  let taken = 0;
  for (const item of items) {
    if (taken === count) return;
    taken += 1;
    yield item;
  }
}

/**
 * Takes the old process's entries over. Once the new one serves, what its own sessions have written is never touched: the
 * old one speaks for its own sessions only.
 */
export class TableReceiver {
  readonly #tables: () => Tables;
  readonly #token: string;
  readonly #owners = new Set<string>();
  #serving = false;
  #count = 0;

  /** `tables` is asked each time: a reload may bring others. */
  constructor(tables: () => Tables, token: string) {
    this.#tables = tables;
    this.#token = token;
  }

  /** Entries that have come. */
  get count(): number {
    return this.#count;
  }

  take(backend: string, entries: readonly EntryTuple[]): void {
    const table = this.#tables().get(backend);
    if (table === undefined) return;
    for (const entry of entries) this.#takeOne(table, entry);
  }

  /** From now on entries may be those of this process's own sessions. */
  serving(): void {
    this.#serving = true;
  }

  /** The old process is gone, and its sessions with it: their entries cool. */
  gone(): void {
    for (const table of this.#tables().values()) for (const owner of this.#owners) void table.ownerGone(owner);
    this.#owners.clear();
  }

  #takeOne(table: MemoryTable, entry: EntryTuple): void {
    const [key] = entry;
    if (this.#serving) {
      const here = table.peek(key);
      if (here !== null && !this.#owners.has(here.owner)) return;
    }
    if (entry.length === 1) {
      table.remove(key);
      return;
    }
    const [, server, theirs, epoch, state, ttlMs] = entry;
    const owner = ownerHere(theirs, this.#token);
    if (owner !== '') this.#owners.add(owner);
    table.adopt({ key, server, owner, epoch, state, ttlMs });
    this.#count += 1;
  }
}

/** `lb1/2` → `lb1/2~a1b2c3d4`. One that has come from a process before that has such a name already; '' is nobody's. */
export function ownerHere(owner: string, token: string): string {
  return owner === '' || /~[0-9a-f]{8}$/.test(owner) ? owner : `${owner}~${token}`;
}
