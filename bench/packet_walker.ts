/**
 * Walks over a stream of MQTT packets and tells only their types: nothing is kept and nothing is decoded, so that the
 * sink costs as little as it can.
 */
export class PacketWalker {
  readonly #tell: (type: number) => void;
  /** Bytes of the packet's body that are still to come. */
  #body = 0;
  #type = 0;
  /** Place in the Remaining Length (section 2.2.3): 0 while no packet has begun, else the next byte's factor. */
  #factor = 0;

  /** `tell` hears the type (the first byte's upper half) of each packet, when it is whole. */
  constructor(tell: (type: number) => void) {
    this.#tell = tell;
  }

  walk(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at = this.#factor === 0 ? this.#skipBody(bytes, at) : this.#readLength(bytes, at);
  }

  #skipBody(bytes: Buffer, at: number): number {
    if (this.#body === 0) {
      this.#type = (bytes[at] ?? 0) >> 4;
      this.#factor = 1;
      return at + 1;
    }
    const taken = Math.min(this.#body, bytes.length - at);
    this.#body -= taken;
    if (this.#body === 0) this.#tell(this.#type);
    return at + taken;
  }

  #readLength(bytes: Buffer, at: number): number {
    const byte = bytes[at] ?? 0;
    this.#body += (byte & 0x7f) * this.#factor;
    this.#factor = byte < 0x80 ? 0 : this.#factor * 128;
    if (this.#factor === 0 && this.#body === 0) this.#tell(this.#type);
    return at + 1;
  }
}
