import { grown, IdleSlots, NONE } from './idle_slots.ts';
import { FULL } from './rate.ts';

/** Room that is taken at the start; it doubles when it is used up. */
const FIRST_CAPACITY = 1024;
/** Idle sources looked at whenever a source comes: more than one, so that the table shrinks when the flood is over. */
const SWEPT_AT_ONCE = 2;

/**
 * What is known of source addresses: open connections and the states of two token buckets, in arrays, so that a source
 * costs some 130 bytes (measured with a million IPv4 addresses, after ten million had come; the key costs most).
 *
 * A source is idle while it has no open connection. Idle sources whose buckets are full again are forgotten as others
 * come; where there are more than `most`, the one that has been idle for longest is forgotten in any case. Those with
 * connections stay.
 */
export class SourceSlots {
  #most: number;
  readonly #slots = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #unused: number[] = [];
  #capacity: number = FIRST_CAPACITY;
  #connections: Int32Array = new Int32Array(FIRST_CAPACITY);
  #connFullAtMs: Float64Array = new Float64Array(FIRST_CAPACITY);
  #connectFullAtMs: Float64Array = new Float64Array(FIRST_CAPACITY);
  readonly #idle: IdleSlots = new IdleSlots(FIRST_CAPACITY);

  constructor(most: number) {
    this.#most = most;
  }

  /** From now on at most so many; the others are forgotten as new ones come. */
  setMost(most: number): void {
    this.#most = most;
  }

  /** Sources that are remembered: at most `most`, or as many as have open connections and one more. */
  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a source, which is idle where it is new. It is the source's own until it has been idle for a while. */
  of(key: string, nowMs: number): number {
    const known = this.#slots.get(key);
    if (known !== undefined) {
      this.#touch(known);
      return known;
    }
    this.#sweep(nowMs);
    for (let count = 0; count < SWEPT_AT_ONCE && this.#slots.size >= this.#most; count += 1) {
      if (this.#idle.oldest !== NONE) this.#forget(this.#idle.oldest);
    }
    return this.#add(key);
  }

  connections(slot: number): number {
    return this.#connections[slot] ?? 0;
  }

  /** One connection more. */
  hold(slot: number): void {
    if (this.connections(slot) === 0) this.#idle.remove(slot);
    this.#connections[slot] = this.connections(slot) + 1;
  }

  /** One connection less. */
  release(slot: number): void {
    this.#connections[slot] = this.connections(slot) - 1;
    if (this.connections(slot) > 0) return;
    this.#idle.add(slot);
    if (this.#slots.size > this.#most) this.#forget(this.#idle.oldest);
  }

  /** The bucket of connections: when it is full. */
  connFullAtMs(slot: number): number {
    return this.#connFullAtMs[slot] ?? FULL;
  }

  setConnFullAt(slot: number, fullAtMs: number): void {
    this.#connFullAtMs[slot] = fullAtMs;
  }

  /** The bucket of CONNECTs: when it is full. */
  connectFullAtMs(slot: number): number {
    return this.#connectFullAtMs[slot] ?? FULL;
  }

  setConnectFullAt(slot: number, fullAtMs: number): void {
    this.#connectFullAtMs[slot] = fullAtMs;
  }

  #touch(slot: number): void {
    if (this.connections(slot) > 0) return;
    this.#idle.remove(slot);
    this.#idle.add(slot);
  }

  #sweep(nowMs: number): void {
    for (let count = 0; count < SWEPT_AT_ONCE; count += 1) {
      const slot = this.#idle.oldest;
      if (slot === NONE || this.connFullAtMs(slot) > nowMs || this.connectFullAtMs(slot) > nowMs) return;
      this.#forget(slot);
    }
  }

  #forget(slot: number): void {
    this.#idle.remove(slot);
    this.#slots.delete(this.#keys[slot] ?? '');
    this.#keys[slot] = '';
    this.#unused.push(slot);
  }

  #add(key: string): number {
    const slot = this.#unused.pop() ?? this.#keys.length;
    if (slot >= this.#capacity) this.#grow();
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    this.#connections[slot] = 0;
    this.setConnFullAt(slot, FULL);
    this.setConnectFullAt(slot, FULL);
    this.#idle.add(slot);
    return slot;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#connections = grown(this.#connections, this.#capacity);
    this.#connFullAtMs = grown(this.#connFullAtMs, this.#capacity);
    this.#connectFullAtMs = grown(this.#connectFullAtMs, this.#capacity);
    this.#idle.grow(this.#capacity);
  }
}
