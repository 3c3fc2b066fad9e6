import type { SourceLimits } from '../config/resolved.ts';
import { type Rate, rateOf, take } from './rate.ts';
import { sourceKey } from './source_key.ts';
import { SourceSlots } from './source_slots.ts';

export type SourceRefusal = 'source_maxconn' | 'source_conn_rate';
/** One connection of a source, to be given back by leave(). */
export type Held = { readonly kind: 'held'; readonly slot: number };

/**
 * The limits of each source address of one frontend, exact over all workers because they are counted in one place. A rate
 * allows one second's worth at once, at least 1. What is refused does not count against the rate.
 */
export class SourceCounts {
  #maxconn = Number.POSITIVE_INFINITY;
  #connRate: Rate | null = null;
  #connectRate: Rate | null = null;
  readonly #slots: SourceSlots;

  /** @param mostSources how many sources without an open connection are remembered at most */
  constructor(limits: SourceLimits, mostSources: number) {
    this.#slots = new SourceSlots(mostSources);
    this.reconfigure(limits, mostSources);
  }

  /** From now on with these limits. What is held stays held, also above a lower limit. */
  reconfigure(limits: SourceLimits, mostSources: number): void {
    this.#maxconn = limits.maxconn ?? Number.POSITIVE_INFINITY;
    this.#connRate = limits.connRate === null ? null : rateOf(limits.connRate, limits.connRate);
    this.#connectRate = limits.connectRate === null ? null : rateOf(limits.connectRate, limits.connectRate);
    this.#slots.setMost(mostSources);
  }

  /** Sources that are remembered now. */
  get size(): number {
    return this.#slots.size;
  }

  /** A new connection. */
  enter(source: string, nowMs: number): Held | { readonly kind: 'refused'; readonly reason: SourceRefusal } {
    const slot = this.#slots.of(sourceKey(source), nowMs);
    if (this.#slots.connections(slot) >= this.#maxconn) return { kind: 'refused', reason: 'source_maxconn' };
    if (this.#connRate !== null) {
      const fullAtMs = take(this.#connRate, this.#slots.connFullAtMs(slot), nowMs);
      if (fullAtMs === null) return { kind: 'refused', reason: 'source_conn_rate' };
      this.#slots.setConnFullAt(slot, fullAtMs);
    }
    this.#slots.hold(slot);
    return { kind: 'held', slot };
  }

  leave(held: Held): void {
    this.#slots.release(held.slot);
  }

  /** A CONNECT. False: above the rate. */
  connect(source: string, nowMs: number): boolean {
    if (this.#connectRate === null) return true;
    const slot = this.#slots.of(sourceKey(source), nowMs);
    const fullAtMs = take(this.#connectRate, this.#slots.connectFullAtMs(slot), nowMs);
    if (fullAtMs === null) return false;
    this.#slots.setConnectFullAt(slot, fullAtMs);
    return true;
  }
}
