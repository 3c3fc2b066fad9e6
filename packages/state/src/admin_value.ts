import type { AdminRecord, AdminState } from './admin.ts';

/** A value of the hash, read. */
export interface AdminReading {
  readonly record: AdminRecord;
  /** Words that mean nothing here; they were skipped. */
  readonly unknown: readonly string[];
}

const states: ReadonlySet<string> = new Set(['ready', 'drain', 'drain_new', 'maint'] satisfies AdminState[]);
const weightWord = /^weight=(\d{1,3})$/;
const mostWeight = 256;
/** An operator's hand writes no more. */
const mostWords = 8;

/** `drain`, `ready weight=5`, `maint`; null: there is nothing to remember. */
export function encodeAdmin({ state, weight }: AdminRecord): string | null {
  if (weight !== null) return `${state} weight=${weight}`;
  return state === 'ready' ? null : state;
}

/**
 * Reads a value, leniently, for it may have been written by hand: words in any order, in upper or lower case, between
 * spaces or commas. What is not said is `ready`, and the configured weight; of two words of one kind the last counts. Pure.
 */
export function decodeAdmin(value: string): AdminReading {
  let state: AdminState = 'ready';
  let weight: number | null = null;
  const unknown: string[] = [];
  const words = value.split(/[\s,]+/).filter(word => word !== '');
  for (const word of words.slice(0, mostWords)) {
    const lower = word.toLowerCase();
    const number = Number(weightWord.exec(lower)?.[1] ?? Number.NaN);
    if (states.has(lower)) state = lower as AdminState;
    else if (number <= mostWeight) weight = number;
    else unknown.push(word.slice(0, 40));
  }
  return { record: { state, weight }, unknown };
}

/** Both say the same of the same servers. */
export function sameRecords(a: ReadonlyMap<string, AdminRecord>, b: ReadonlyMap<string, AdminRecord>): boolean {
  if (a.size !== b.size) return false;
  for (const [server, { state, weight }] of a) {
    const other = b.get(server);
    if (other?.state !== state || other.weight !== weight) return false;
  }
  return true;
}
