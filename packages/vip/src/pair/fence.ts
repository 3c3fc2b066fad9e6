/** Above any number that two hosts ever count to, and exact in a double: in Lua, in JSON and here. */
export const maxFence: number = 2 ** 52;

/**
 * The next fencing number above all that were seen. Even numbers belong to one host and odd ones to the other, so that two
 * hosts that know nothing of each other never choose the same one.
 */
export function nextFence(above: number, index: 0 | 1): number {
  const next = above + 1;
  return next % 2 === index ? next : next + 1;
}

/**
 * How well founded a holder's claim is. Of two holders the lower grade lets go, and of equal grades the lower number.
 *
 * - 2: its lease is in Redis.
 * - 1: Redis does not answer it, but its interface has been receiving for at least a lease.
 * - 0: it hears nobody; it may be the one that is cut off.
 */
export type Grade = 0 | 1 | 2;

export interface Claim {
  readonly grade: Grade;
  readonly fence: number;
}

export function outranks(a: Claim, b: Claim): boolean {
  return a.grade === b.grade ? a.fence > b.fence : a.grade > b.grade;
}
