import { type Entry, EntryList } from './entries.ts';

/** Expired entries that one call removes at most: more than it can add, and too few to be felt. */
const sweptPerCall = 8;

/**
 * The entries of a table whose time runs. What lives on one clock stands in one list, so each list is in the order of
 * expiry: waiting entries (pending, and cooling ones that a claim relies on), and cooling ones. When the times change, new
 * lists begin, and the former ones run out as they are. Imported entries bring their own times: theirs is in the order in
 * which they came, and those behind a longer one are removed later than they expire.
 */
export class Countdown {
  #waiting: EntryList[] = [new EntryList()];
  /** The current one, the imported ones, former ones. */
  #cooling: EntryList[] = [new EntryList(), new EntryList()];

  wait(entry: Entry): void {
    this.#waiting[0]?.append(entry);
  }

  cool(entry: Entry): void {
    this.#cooling[0]?.append(entry);
  }

  /** Its deadline is unlike those of the others. */
  coolApart(entry: Entry): void {
    this.#cooling[1]?.append(entry);
  }

  /** From now on entries have other times. */
  beginAnew(): void {
    const [current, imported, ...former] = this.#cooling;
    this.#waiting = [new EntryList(), ...this.#waiting.filter(hasEntries)];
    this.#cooling = [new EntryList(), imported ?? new EntryList(), ...[current, ...former].filter(hasEntries)];
  }

  /** Hands expired entries from the heads of all lists to `remove`, a few of each. */
  sweep(isOver: (entry: Entry) => boolean, remove: (entry: Entry) => void): void {
    sweepHeads(this.#waiting, isOver, remove);
    sweepHeads(this.#cooling, isOver, remove);
  }

  /** The entry that goes first where room is needed: one that is over, or of the cooling ones the next to expire. */
  victim(isOver: (entry: Entry) => boolean): Entry | null {
    for (const { oldest } of this.#waiting) if (oldest && isOver(oldest)) return oldest;
    let victim: Entry | null = null;
    for (const { oldest } of this.#cooling) {
      if (oldest && (victim === null || oldest.expiresAtMs < victim.expiresAtMs)) victim = oldest;
    }
    return victim;
  }
}

function sweepHeads(lists: EntryList[], isOver: (entry: Entry) => boolean, remove: (entry: Entry) => void): void {
  for (const list of lists) {
    for (let i = 0; i < sweptPerCall; i++) {
      const entry = list.oldest;
      if (!entry || !isOver(entry)) break;
      remove(entry);
    }
  }
}

function hasEntries(list: EntryList | undefined): list is EntryList {
  return list !== undefined && list.oldest !== null;
}
