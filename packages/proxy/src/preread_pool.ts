/** A reader that holds bytes of an unfinished CONNECT. */
export interface PrereadHolder {
  /** The pool took everything back: the holder must let go of its bytes now, and must not call the pool for them. */
  evict(): void;
}

/** How many holders of the largest class are looked at to find the largest: bounds the work of one eviction. */
const MAX_LOOKED_AT = 256;

/**
 * A worker's share of `global.preread_memory`. Readers reserve before they take. When it is used up, the holder of the
 * most is ended in favour of whoever asks, so that a few that hold much cannot keep out many that need little. If
 * nobody holds more than the asker would, the asker is ended.
 *
 * Holders are kept in classes by powers of two, so that reserving costs the same however many there are. Among more
 * than 256 holders of the largest class, the largest of the 256 oldest is taken.
 */
export class PrereadPool {
  #limitBytes: number;
  readonly #held: Map<PrereadHolder, number> = new Map();
  /** Class n holds from 2^n to 2^(n+1) - 1 bytes. */
  readonly #classes: Map<number, Set<PrereadHolder>> = new Map();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** From now on so much. Nobody is evicted for a lower limit before somebody needs the room. */
  setLimit(bytes: number): void {
    this.#limitBytes = bytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  heldBy(holder: PrereadHolder): number {
    return this.#held.get(holder) ?? 0;
  }

  /**
   * Sets what the holder holds to `bytes`, which is more than it holds now. False: there is no room, and what it holds
   * stays reserved. May evict others before it returns.
   */
  reserve(holder: PrereadHolder, bytes: number): boolean {
    if (!this.#hasRoomFor(holder, bytes)) {
      const victim = this.#largestBeside(holder);
      // Who holds more than is asked for frees more than is missing: one eviction is enough.
      if (victim === null || this.heldBy(victim) <= bytes) return false;
      this.release(victim);
      victim.evict();
      if (!this.#hasRoomFor(holder, bytes)) return false;
    }
    this.release(holder);
    this.#held.set(holder, bytes);
    this.#classOf(bytes).add(holder);
    this.#usedBytes += bytes;
    return true;
  }

  /** Gives everything back. May be called for a holder that holds nothing. */
  release(holder: PrereadHolder): void {
    const own = this.#held.get(holder);
    if (own === undefined) return;
    this.#held.delete(holder);
    this.#classOf(own).delete(holder);
    this.#usedBytes -= own;
  }

  #hasRoomFor(holder: PrereadHolder, bytes: number): boolean {
    return this.#usedBytes - this.heldBy(holder) + bytes <= this.#limitBytes;
  }

  #largestBeside(asker: PrereadHolder): PrereadHolder | null {
    const classes = [...this.#classes].sort(([a], [b]) => b - a);
    for (const [, holders] of classes) {
      const largest = this.#largestIn(holders, asker);
      if (largest !== null) return largest;
    }
    return null;
  }

  #largestIn(holders: ReadonlySet<PrereadHolder>, asker: PrereadHolder): PrereadHolder | null {
    let largest: PrereadHolder | null = null;
    let most = 0;
    let lookedAt = 0;
    for (const holder of holders) {
      const bytes = holder === asker ? 0 : this.heldBy(holder);
      if (bytes > most) [largest, most] = [holder, bytes];
      if (++lookedAt === MAX_LOOKED_AT) break;
    }
    return largest;
  }

  #classOf(bytes: number): Set<PrereadHolder> {
    const exponent = Math.floor(Math.log2(Math.max(bytes, 1)));
    const known = this.#classes.get(exponent);
    if (known !== undefined) return known;
    const made = new Set<PrereadHolder>();
    this.#classes.set(exponent, made);
    return made;
  }
}
