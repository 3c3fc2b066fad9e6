import type { Claimant, EntryState } from './contract.ts';

/** What the value of an entry in Redis says. What is left of its life is the key's PTTL. */
export interface StoredEntry extends Claimant {
  readonly server: string;
  readonly state: EntryState;
}

const letters: Readonly<Record<EntryState, string>> = { pending: 'p', pinned: 'o', cooling: 'c' };
const states: ReadonlyMap<string, EntryState> = new Map([
  ['p', 'pending'],
  ['o', 'pinned'],
  ['c', 'cooling'],
]);
const shape = /^(.*)\|([^|]*)\|(\d+)\|([poc])$/s;

/** The letter of a state in Redis: `p` pending, `o` pinned (its client is online), `c` cooling. */
export function stateLetter(state: EntryState): string {
  return letters[state];
}

/** `server|owner|epoch|letter`, as `redis-cli GET` shows it: `emqx1|lb1/2|17|o`. */
export function encodeValue(entry: StoredEntry): string {
  return `${entry.server}|${entry.owner}|${entry.epoch}|${letters[entry.state]}`;
}

/** Whether a value says `pinned`. */
export function isPinned(value: string): boolean {
  return value.endsWith(`|${letters.pinned}`);
}

/** Reads a value. One of another shape was written by hand (`redis-cli SET … emqx2`) and is a server's name. */
export function decodeValue(value: string): StoredEntry {
  const [, server, owner, epoch, letter] = shape.exec(value) ?? [];
  const state = letter === undefined ? undefined : states.get(letter);
  if (server === undefined || owner === undefined || state === undefined) {
    return { server: value, owner: '', epoch: 0, state: 'cooling' };
  }
  return { server, owner, epoch: Number(epoch), state };
}
