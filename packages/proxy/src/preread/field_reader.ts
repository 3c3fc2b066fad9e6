import { isUtf8 } from 'node:buffer';

/**
 * Walks over the fields of a packet. The first thing that is wrong is kept in `fault`, and every read after it answers
 * zero, so that whoever reads asks once, at the end of a group of fields. It never reads past its own end.
 */
export class FieldReader {
  /** What is wrong, or null. */
  fault: string | null = null;
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Offset of the next field in the whole packet. */
  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  fail(fault: string): void {
    this.fault ??= fault;
    this.#at = this.#end;
  }

  byte(field: string): number {
    const at = this.#take(1, field);
    return at === null ? 0 : (this.#bytes[at] ?? 0);
  }

  uint16(field: string): number {
    const at = this.#take(2, field);
    return at === null ? 0 : this.#bytes.readUInt16BE(at);
  }

  uint32(field: string): number {
    const at = this.#take(4, field);
    return at === null ? 0 : this.#bytes.readUInt32BE(at);
  }

  /** A variable byte integer of 5.0: at most four bytes, in its shortest form [MQTT-1.5.5-1]. */
  varInt(field: string): number {
    let value = 0;
    for (let count = 0; count < 4; count++) {
      const byte = this.byte(field);
      value += (byte & 0x7f) * 128 ** count;
      if (byte >= 0x80) continue;
      if (count > 0 && byte === 0) this.fail(`${field} is not in its shortest form`);
      return this.fault === null ? value : 0;
    }
    this.fail(`${field} has a fifth byte`);
    return 0;
  }

  /** Binary data with two bytes of length. Answers its length. */
  binary(field: string): number {
    const length = this.uint16(field);
    return this.#take(length, field) === null ? 0 : length;
  }

  /**
   * A string with two bytes of length: well-formed UTF-8 without surrogates and overlong forms ([MQTT-1.5.3-1] of
   * 3.1.1, [MQTT-1.5.4-1] of 5.0), without U+0000 ([MQTT-1.5.3-2], [MQTT-1.5.4-2]). 3.1 says less; but two ids that
   * decode to one string would be one key. Answers its length in bytes.
   */
  text(field: string): number {
    const length = this.binary(field);
    const start = this.#at - length;
    let isAscii = true;
    for (let at = start; at < this.#at; at++) {
      const byte = this.#bytes[at] ?? 0;
      if (byte === 0) this.fail(`${field} contains U+0000`);
      if (byte >= 0x80) isAscii = false;
    }
    // A call into native code costs more than a short string is worth.
    if (!isAscii && !isUtf8(this.#bytes.subarray(start, start + length))) this.fail(`${field} is not UTF-8`);
    return this.fault === null ? length : 0;
  }

  /** The name of a topic: not empty [MQTT-4.7.3-1], no wildcards ([MQTT-4.7.1-1] of 3.1.1, [MQTT-4.7.0-1] of 5.0). */
  topic(field: string): void {
    const length = this.text(field);
    if (this.fault !== null) return;
    if (length === 0) this.fail(`${field} is empty`);
    const name = this.#bytes.subarray(this.#at - length, this.#at);
    if (name.includes(0x23) || name.includes(0x2b)) this.fail(`${field} contains a wildcard`);
  }

  /** The next `length` bytes as a part with an end of its own; this reader goes on behind them. */
  part(length: number, field: string): FieldReader {
    const start = this.#take(length, field) ?? this.#at;
    return new FieldReader(this.#bytes, start, this.#at);
  }

  /** Where the next bytes start, if there are so many. */
  #take(length: number, field: string): number | null {
    if (this.fault !== null) return null;
    if (length > this.left) {
      this.fail(`${field} runs past its end`);
      return null;
    }
    this.#at += length;
    return this.#at - length;
  }
}
