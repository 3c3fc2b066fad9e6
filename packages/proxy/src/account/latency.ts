import { type Histogram, LATENCY_BOUNDS_MS, type LatencyDelta } from './counters.ts';

const BUCKETS = LATENCY_BOUNDS_MS.length + 1;

/** Latencies by bucket, as they are added up. */
export class Latency {
  readonly #buckets: number[] = new Array<number>(BUCKETS).fill(0);
  #sumMs = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    let bucket = 0;
    while (bucket < BUCKETS - 1 && ms > (LATENCY_BOUNDS_MS[bucket] ?? 0)) bucket += 1;
    this.#put(bucket, 1);
    this.#sumMs += ms;
  }

  merge(other: Latency): void {
    other.#buckets.forEach((count, bucket) => {
      this.#put(bucket, count);
    });
    this.#sumMs += other.#sumMs;
  }

  /** What another process has added up. */
  take([sumMs, ...buckets]: LatencyDelta): void {
    for (const [bucket, count] of buckets) this.#put(bucket, count);
    this.#sumMs += sumMs;
  }

  /** As it travels: microseconds are as fine as it needs to be. */
  delta(): LatencyDelta {
    const filled = this.#buckets.flatMap((count, bucket) => (count === 0 ? [] : [[bucket, count] as const]));
    return [Math.round(this.#sumMs * 1000) / 1000, ...filled];
  }

  histogram(): Histogram {
    return { buckets: [...this.#buckets], sumMs: this.#sumMs, count: this.#count };
  }

  #put(bucket: number, count: number): void {
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + count;
    this.#count += count;
  }
}

/**
 * Estimates a quantile from buckets (`LATENCY_BOUNDS_MS`), as if the values of one bucket lay evenly in it. Null: there is
 * none. What is above all bounds counts as the last of them.
 * @param q from 0 to 1
 */
export function quantileMs(buckets: readonly number[], q: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [bucket, count] of buckets.entries()) {
    if (count > 0 && below + count >= rank) {
      const from = LATENCY_BOUNDS_MS[bucket - 1] ?? 0;
      const to = LATENCY_BOUNDS_MS[bucket] ?? from;
      return from + (to - from) * Math.max(0, (rank - below) / count);
    }
    below += count;
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null;
}
