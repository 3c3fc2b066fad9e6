const shortestMs = 500;
const longestMs = 5 * 60_000;

/**
 * How often the entries of live sessions are renewed: a quarter of `expire`, between half a second and five minutes.
 */
export function renewEveryMs(expireMs: number): number {
  return Math.min(Math.max(Math.round(expireMs / 4), shortestMs), longestMs);
}

/**
 * How long a pinned entry lives in Redis without renewal: `expire` and two intervals more. So one renewal may be
 * missed, and an entry whose proxy died still lives for `expire` at least (P3).
 */
export function pinnedMs(expireMs: number): number {
  return expireMs + 2 * renewEveryMs(expireMs);
}
