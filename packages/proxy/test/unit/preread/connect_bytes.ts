/** Packets made by hand, byte by byte, so that illegal ones can be made too. */

/** Bytes of a string of hexadecimal digits; spaces are for the reader. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

/** A field with two bytes of length. */
export function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A variable byte integer in its shortest form. */
export function varInt(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  do {
    bytes.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(bytes);
}

/** A property section with its length. */
export function section(...properties: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(properties);
  return Buffer.concat([varInt(bytes.length), bytes]);
}

export function userProperty(name: string | Buffer, value: string | Buffer): Buffer {
  return Buffer.concat([hex('26'), field(name), field(value)]);
}

export interface Raw {
  readonly first?: number;
  readonly name?: string;
  readonly level: number;
  readonly flags?: number;
  readonly keepAliveS?: number;
  /** 5.0: the whole section; default: an empty one. */
  readonly properties?: Buffer;
  /** Default: the client id `a`. */
  readonly payload?: readonly Buffer[];
}

/** A CONNECT of these parts; clean session, keep-alive 60 and the client id `a` unless told otherwise. */
export function connectBytes(raw: Raw): Buffer {
  const { first = 0x10, level, flags = 0x02, keepAliveS = 60, payload = [field('a')] } = raw;
  const name = raw.name ?? ((level & 0x7f) === 3 ? 'MQIsdp' : 'MQTT');
  const properties = level === 5 ? (raw.properties ?? hex('00')) : Buffer.alloc(0);
  const rest = Buffer.from([level, flags, keepAliveS >> 8, keepAliveS & 0xff]);
  const body = Buffer.concat([field(name), rest, properties, ...payload]);
  return Buffer.concat([Buffer.from([first]), varInt(body.length), body]);
}

/** A legal CONNECT with exactly this remaining length, of the three versions; a big one holds user properties (5.0). */
export function connectOfLength(level: 3 | 4 | 5, remainingLength: number): Buffer {
  const empty = connectBytes({ level, payload: [field('')] });
  const idLength = remainingLength - (empty.length - 2);
  if (idLength <= 0xffff) return connectBytes({ level, payload: [field('i'.repeat(idLength))] });
  if (level !== 5) throw new RangeError('only 5.0 can be so long without a will');
  return bigConnect(remainingLength);
}

/** Fills with user properties of 60,000 bytes, and the client id takes the rest. */
function bigConnect(remainingLength: number): Buffer {
  const filler = userProperty('filler', Buffer.alloc(60_000, 'x'));
  const count = Math.floor((remainingLength - 100) / filler.length);
  const properties = section(...Array<Buffer>(count).fill(filler));
  const empty = 10 + properties.length + 2;
  return connectBytes({ level: 5, properties, payload: [field('i'.repeat(remainingLength - empty))] });
}

/** SUBSCRIBE and PUBLISH, as an eager client sends them behind its CONNECT. */
export const PIPELINED: Buffer = Buffer.concat([
  hex('82 08 0001'),
  field('t/#'),
  hex('01'),
  hex('30 0c'),
  field('t/xyz'),
  Buffer.from('hello'),
]);
