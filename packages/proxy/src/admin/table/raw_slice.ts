import type { EntryState, StickEntry, WalkedEntry } from '@limpet/state';

/**
 * Entries as bytes, on their way from the primary's heap to a thread. What is written costs the primary well under a
 * microsecond an entry and makes no garbage: names of servers and owners are numbers, told once each.
 *
 *   2 bytes of key  1 state  4 server  4 owner  8 epoch  8 ttl (-1: none)  then the key
 */
const HEAD_BYTES = 27;
/** A key has 128 at most. */
const LONGEST_KEY_BYTES = 512;
const STATES: readonly EntryState[] = ['pending', 'pinned', 'cooling'];

/** Writes entries of one walk. */
export class RawWriter {
  readonly #numbers = new Map<string, number>();
  #names: string[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  /** From now on into this buffer. */
  begin(buffer: ArrayBuffer): void {
    this.#buffer = Buffer.from(buffer);
    this.#at = 0;
  }

  get bytes(): number {
    return this.#at;
  }

  /** Names that are new since the last time, in the order of their numbers. */
  takeNames(): readonly string[] {
    const names = this.#names;
    this.#names = [];
    return names;
  }

  /** Whether there is surely room for a key of the longest kind. */
  get hasRoom(): boolean {
    return this.#at + HEAD_BYTES + LONGEST_KEY_BYTES <= this.#buffer.length;
  }

  write(entry: WalkedEntry, ttlMs: number | null): void {
    const buffer = this.#buffer;
    const at = this.#at;
    const keyBytes = buffer.write(entry.key, at + HEAD_BYTES, LONGEST_KEY_BYTES, 'utf8');
    buffer.writeUInt16LE(keyBytes, at);
    buffer[at + 2] = entry.state === 'pending' ? 0 : entry.state === 'pinned' ? 1 : 2;
    buffer.writeUInt32LE(this.#number(entry.server), at + 3);
    buffer.writeUInt32LE(this.#number(entry.owner), at + 7);
    buffer.writeDoubleLE(entry.epoch, at + 11);
    buffer.writeDoubleLE(ttlMs ?? -1, at + 19);
    this.#at = at + HEAD_BYTES + keyBytes;
  }

  #number(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(name, number);
      this.#names.push(name);
    }
    return number;
  }
}

/** Reads what a RawWriter has written: all slices of one walk, in their order. */
export class RawReader {
  readonly #names: string[] = [];

  read(slice: ArrayBuffer, bytes: number, names: readonly string[]): StickEntry[] {
    this.#names.push(...names);
    const buffer = Buffer.from(slice);
    const entries: StickEntry[] = [];
    for (let at = 0; at < bytes; ) {
      const end = at + HEAD_BYTES + buffer.readUInt16LE(at);
      const ttlMs = buffer.readDoubleLE(at + 19);
      entries.push({
        key: buffer.toString('utf8', at + HEAD_BYTES, end),
        server: this.#names[buffer.readUInt32LE(at + 3)] ?? '',
        owner: this.#names[buffer.readUInt32LE(at + 7)] ?? '',
        epoch: buffer.readDoubleLE(at + 11),
        state: STATES[buffer[at + 2] ?? 0] ?? 'pending',
        ttlMs: ttlMs < 0 ? null : ttlMs,
      });
      at = end;
    }
    return entries;
  }
}
