const FIRST_CAPACITY_BYTES = 512;
/**
 * How much longer frames may be than what is in them: eight times (a byte in a frame of its own takes seven), and this.
 * So whoever limits the MQTT bytes that are held limits what is recorded, and empty frames and Pings are no way around.
 */
const SLACK_BYTES = 4 * 1024;
const MOST_BYTES_PER_BYTE = 8;
const NOTHING = Buffer.alloc(0);

/** The frames of a client as they came, for a broker that wants to see them. */
export class FrameRecord {
  readonly #maxBytes: number;
  #bytes: Buffer = NOTHING;
  #length = 0;
  #payloadBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Copies a chunk. False: it would pass the limit, and is not kept. */
  append(chunk: Buffer): boolean {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) return false;
    if (length > this.#bytes.length) {
      // A slab of its own: pieces of a shared one would keep all of it.
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_CAPACITY_BYTES, length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  /** So much of what was appended was payload. False: there is too little of it in too many bytes. */
  contained(payloadBytes: number): boolean {
    this.#payloadBytes += payloadBytes;
    return this.#length <= SLACK_BYTES + MOST_BYTES_PER_BYTE * this.#payloadBytes;
  }

  /** All of it. The bytes stay as they are when more is appended. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
