/**
 * A rate as a token bucket. A bucket's whole state is one number, the time at which it is full again ("virtual
 * scheduling", ITU-T I.371): a million of them are 8 MB.
 */
export interface Rate {
  /** One token comes every so many milliseconds. */
  readonly intervalMs: number;
  /** How much time's worth of tokens a bucket holds, beside the one that is just due. */
  readonly toleranceMs: number;
}

/** A new bucket, full. */
export const FULL = 0;
/** Sums of intervals are inexact: a millionth of a second, so that a burst is not one too short. */
const ROUNDING_MS = 0.001;

/** @param burst tokens that may be taken at once, at least 1; need not be whole */
export function rateOf(perSecond: number, burst: number): Rate {
  const intervalMs = 1000 / perSecond;
  return { intervalMs, toleranceMs: (Math.max(1, burst) - 1) * intervalMs };
}

/**
 * Takes a token: the bucket's new state, or null where there is none now. In any `t` seconds no more than
 * `perSecond × t + burst` are taken. Times in milliseconds, monotonic, not negative.
 */
export function take(rate: Rate, fullAtMs: number, nowMs: number): number | null {
  if (fullAtMs > nowMs + rate.toleranceMs + ROUNDING_MS) return null;
  return Math.max(fullAtMs, nowMs) + rate.intervalMs;
}

/** When there will be a token, if nobody takes one meanwhile; not after `nowMs`: there is one. */
export function nextAtMs(rate: Rate, fullAtMs: number): number {
  return fullAtMs - rate.toleranceMs;
}
