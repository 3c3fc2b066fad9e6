import type { Claimant, Pin } from './contract.ts';

/** The last state of one key that Redis has not been told. */
export interface JournalRecord extends Pin {
  readonly state: 'pinned' | 'cooling';
  /** When its client left, on the clock of this process; 0 while pinned. */
  readonly leftAtMs: number;
  /** What these wrote, up to their epoch, is known to be older. */
  readonly known: readonly Claimant[];
  /** Of its key: by it a cluster knows the key's server. */
  readonly slot: number;
}

/** Which records are meant, by slot. */
export type OfSlot = (slot: number) => boolean;

/**
 * What one worker decided while Redis could not be told: one record a key, its last. Bounded: the oldest go first, and are
 * counted. Pure but for its own two maps: the caller brings the time.
 *
 * A claim writes no record, because a claim alone is not worth keeping; but it notes which entry this proxy knew before,
 * as only that one may be overwritten when Redis is back.
 */
export class Journal {
  readonly #limit: number;
  readonly #slotOf: (key: string) => number;
  readonly #records = new Map<string, JournalRecord>();
  readonly #seen = new Map<string, readonly Claimant[]>();
  #dropped = 0;

  constructor(limit: number, slotOf: (key: string) => number = () => 0) {
    this.#limit = limit;
    this.#slotOf = slotOf;
  }

  get size(): number {
    return this.#records.size;
  }

  /** Records lost to the limit since the beginning. */
  get dropped(): number {
    return this.#dropped;
  }

  has(key: string): boolean {
    return this.#records.has(key);
  }

  /** The oldest records of these slots, `count` at most. */
  oldest(count: number, isWanted: OfSlot = () => true): readonly JournalRecord[] {
    const oldest: JournalRecord[] = [];
    for (const record of this.#records.values()) {
      if (isWanted(record.slot) && oldest.push(record) >= count) break;
    }
    return oldest;
  }

  /** Whether there is a record of one of these slots. */
  hasOf(isWanted: OfSlot): boolean {
    for (const { slot } of this.#records.values()) if (isWanted(slot)) return true;
    return false;
  }

  get(key: string): JournalRecord | null {
    return this.#records.get(key) ?? null;
  }

  /** A claim was answered locally; `before` is the entry that this proxy knew until then. */
  claimed(key: string, by: Claimant, before: Claimant | null): void {
    const known = this.#known(key);
    this.#seen.delete(key);
    this.#seen.set(key, withClaimant(before ? withClaimant(known, before) : known, by));
    dropOldest(this.#seen, this.#limit);
  }

  confirmed(pin: Pin): void {
    this.#put(pin, 'pinned', 0);
  }

  /** The late end of a session that a newer one of this worker has followed changes nothing. */
  released(pin: Pin, nowMs: number): void {
    const record = this.#records.get(pin.key);
    if (record && record.by.owner === pin.by.owner && record.by.epoch > pin.by.epoch) return;
    this.#put(pin, 'cooling', nowMs);
  }

  abandoned(key: string): void {
    this.#seen.delete(key);
  }

  /** Redis has been told by other means. */
  settled(key: string): void {
    this.#records.delete(key);
    this.#seen.delete(key);
  }

  /** The record was written; one that was changed meanwhile stays. */
  written(record: JournalRecord): void {
    if (this.#records.get(record.key) === record) this.#records.delete(record.key);
  }

  #put(pin: Pin, state: JournalRecord['state'], leftAtMs: number): void {
    const { key, server, by } = pin;
    const known = withClaimant(this.#known(key), by);
    this.#seen.delete(key);
    this.#records.delete(key);
    this.#records.set(key, { key, server, by, state, leftAtMs, known, slot: this.#slotOf(key) });
    this.#dropped += dropOldest(this.#records, this.#limit);
  }

  #known(key: string): readonly Claimant[] {
    return this.#seen.get(key) ?? this.#records.get(key)?.known ?? [];
  }
}

/** One claimant for each owner, with its highest epoch: an owner's epochs only grow. Pure. */
export function withClaimant(known: readonly Claimant[], { owner, epoch }: Claimant): readonly Claimant[] {
  const before = known.find(claimant => claimant.owner === owner);
  if (before && before.epoch >= epoch) return known;
  return [...known.filter(claimant => claimant !== before), { owner, epoch }];
}

function dropOldest(map: Map<string, unknown>, limit: number): number {
  let dropped = 0;
  for (const key of map.keys()) {
    if (map.size <= limit) break;
    map.delete(key);
    dropped++;
  }
  return dropped;
}
