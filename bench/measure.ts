/**
 * One run of one scenario against one target.
 */
import type { Piscina } from 'piscina';
import type { Brokers } from './brokers.ts';

export interface Measure {
  readonly cpuUsPerUnit: number;
  readonly unitsPerS: number;
  /** What was lost or refused, in words; empty: nothing. */
  readonly lost: readonly string[];
}

/** What every run makes use of. */
export interface Bench {
  readonly pool: Piscina;
  /** Threads of the pool, each with its share of the load. */
  readonly threads: number;
  readonly brokers: Brokers;
}
