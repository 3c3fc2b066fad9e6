/** The last hour, for plots: one sample every 10 s, 360 at most. Arrays have one number for each sample, oldest first. */
export interface HistoryFacts {
  readonly stepMs: 10_000;
  /** `Date.now()` of each sample. */
  readonly atMs: readonly number[];
  /** Sessions at that moment. */
  readonly sessions: readonly number[];
  /** Per second, over the step: accepted TCP connections, legal CONNECTs, accepting CONNACKs, refusals of brokers and of ours. */
  readonly connections: readonly number[];
  readonly connects: readonly number[];
  readonly accepted: readonly number[];
  readonly refused: readonly number[];
  /** Bytes per second, from clients and to them. */
  readonly bytesIn: readonly number[];
  readonly bytesOut: readonly number[];
  /** CONNACK latency of the step, milliseconds: estimates from the histogram's buckets; null where there was none. */
  readonly connackP50Ms: readonly (number | null)[];
  readonly connackP99Ms: readonly (number | null)[];
  /** End reason → ends in the step. Only reasons that happened in the hour. */
  readonly ends: Readonly<Record<string, readonly number[]>>;
  /** `backend/server` → sessions at that moment. */
  readonly servers: Readonly<Record<string, readonly number[]>>;
}
