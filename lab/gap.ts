/**
 * How long nobody came in.
 */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly lengthMs: number;
}

/**
 * The longest time without an event, of those gaps that reach into `fromMs`–`toMs`. One that is still open at the end
 * of the list lasts until `toMs`. Times are in ascending order.
 */
export function longestGap(timesMs: readonly number[], fromMs: number, toMs: number): Gap {
  const before = timesMs.findLast(atMs => atMs <= fromMs) ?? fromMs;
  const within = timesMs.filter(atMs => atMs > fromMs && atMs < toMs);
  const after = timesMs.find(atMs => atMs >= toMs) ?? toMs;
  let longest: Gap = { fromMs: before, toMs: before, lengthMs: 0 };
  let last = before;
  for (const atMs of [...within, after]) {
    if (atMs - last > longest.lengthMs) longest = { fromMs: last, toMs: atMs, lengthMs: atMs - last };
    last = atMs;
  }
  return longest;
}
