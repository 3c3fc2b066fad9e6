/** A fifth byte of the remaining length is not MQTT (5.0, 1.5.5). */
const LONGEST_LENGTH = 4;

/**
 * Where the packets of an MQTT stream begin and end: reads the fixed headers and skips what is between, so that something
 * may be said between two packets. Keeps no byte. Must see every byte, from the first one of some packet on.
 */
export class PacketBoundary {
  /** Bytes of the remaining length that were read; -1: the next byte is a packet's first. */
  #lengthBytes = -1;
  /** What they say so far; then how much of the packet is still to come. */
  #left = 0;
  #isLost = false;

  /** The byte before was a packet's last one, or there was none. */
  get isBetween(): boolean {
    return this.#lengthBytes === -1 && this.#left === 0 && !this.#isLost;
  }

  /** What came is not MQTT: there are no boundaries any more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** These bytes come next. */
  push(chunk: Buffer): void {
    this.#walk(chunk, false);
  }

  /**
   * These bytes come next: how many of them belong to the packet that is under way; null: all, and its end has not come.
   * Those behind its end are as if they had not been seen.
   */
  firstEnd(chunk: Buffer): number | null {
    if (this.isBetween) return 0;
    const end = this.#walk(chunk, true);
    return this.isBetween ? end : null;
  }

  #walk(chunk: Buffer, onlyOne: boolean): number {
    const { length } = chunk;
    let at = 0;
    // Names of their own: fields of the class would be read and written for every packet.
    let left = this.#left;
    let lengthBytes = this.#lengthBytes;
    while (at < length && !this.#isLost) {
      if (lengthBytes === -1) {
        if (left > 0) {
          const step = Math.min(left, length - at);
          left -= step;
          at += step;
        } else {
          lengthBytes = 0;
          at += 1;
          continue;
        }
      } else {
        const byte = chunk[at] as number;
        at += 1;
        left += (byte & 0x7f) * 128 ** lengthBytes;
        lengthBytes += 1;
        if (byte > 0x7f) {
          this.#isLost = lengthBytes === LONGEST_LENGTH;
          continue;
        }
        lengthBytes = -1;
      }
      if (onlyOne && left === 0) break;
    }
    this.#left = left;
    this.#lengthBytes = lengthBytes;
    return at;
  }
}
