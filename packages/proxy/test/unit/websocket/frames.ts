/** Frames written by hand, right and wrong ones. */

export interface FrameSpec {
  readonly opcode?: number;
  readonly fin?: boolean;
  /** RSV1 to RSV3 as the bits 0x40, 0x20, 0x10. */
  readonly rsv?: number;
  readonly payload?: Uint8Array;
  /** Null: not masked. */
  readonly mask?: Buffer | null;
  /** In how many bytes the length is written; default: as few as can be. */
  readonly lengthBytes?: 1 | 2 | 8;
  /** What the head says; default: the payload's. */
  readonly length?: number | bigint;
}

export const BINARY = 0x2;
const TEXT = 0x1;
export const CONTINUATION = 0x0;
const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;
export const MASK: Buffer = Buffer.from('37fa213d', 'hex');

/** A client's frame, masked unless told otherwise. */
export function frame(spec: FrameSpec = {}): Buffer {
  const { opcode = BINARY, fin = true, rsv = 0, mask = MASK } = spec;
  const payload = Buffer.from(spec.payload ?? '');
  const length = BigInt(spec.length ?? payload.length);
  const bytes = spec.lengthBytes ?? (length < 126n ? 1 : length < 65_536n ? 2 : 8);
  const masked = mask === null ? 0 : 0x80;
  const wide = Buffer.alloc(8);
  wide.writeBigUInt64BE(length);
  const second = bytes === 1 ? Number(length) : bytes === 2 ? 126 : 127;
  const head = [Buffer.of((fin ? 0x80 : 0) | rsv | opcode, masked | second)];
  if (bytes > 1) head.push(wide.subarray(8 - bytes));
  if (mask === null) return Buffer.concat([...head, payload]);
  return Buffer.concat([...head, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

/** A Close with this code and reason. */
export function close(code: number | null, reason: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = code === null ? Buffer.alloc(0) : Buffer.of(code >> 8, code & 0xff);
  return frame({ opcode: CLOSE, payload: Buffer.concat([bytes, reason]) });
}

/** The bytes cut at these places, taken modulo their length. */
export function cut(bytes: Buffer, marks: readonly number[]): Buffer[] {
  const places = [...new Set(marks.map(mark => (bytes.length === 0 ? 0 : mark % bytes.length)))].sort((a, b) => a - b);
  const ends = [...places, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

export interface Illegal {
  readonly what: string;
  readonly bytes: Buffer;
  /** The close code that the client must be told. */
  readonly code: number;
}

const text = (value: string): Buffer => Buffer.from(value);
const control = { payload: Buffer.alloc(126) };

/** What a client must not send, after the Autobahn test suite's chapters 2 to 7. */
export const ILLEGAL: readonly Illegal[] = [
  { what: 'a frame that is not masked', bytes: frame({ mask: null, payload: text('x') }), code: 1002 },
  { what: 'a Ping that is not masked', bytes: frame({ opcode: PING, mask: null }), code: 1002 },
  { what: 'RSV1', bytes: frame({ rsv: 0x40 }), code: 1002 },
  { what: 'RSV2', bytes: frame({ rsv: 0x20 }), code: 1002 },
  { what: 'RSV3', bytes: frame({ rsv: 0x10 }), code: 1002 },
  { what: 'all reserved bits on a Ping', bytes: frame({ opcode: PING, rsv: 0x70 }), code: 1002 },
  ...[3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].map(opcode => ({
    what: `reserved opcode ${opcode}`,
    bytes: frame({ opcode }),
    code: 1002,
  })),
  { what: 'a text frame', bytes: frame({ opcode: TEXT, payload: text('hello') }), code: 1003 },
  { what: 'a fragmented text message', bytes: frame({ opcode: TEXT, fin: false }), code: 1003 },
  { what: 'a Ping of 126 bytes', bytes: frame({ opcode: PING, ...control }), code: 1002 },
  { what: 'a Pong of 126 bytes', bytes: frame({ opcode: PONG, ...control }), code: 1002 },
  { what: 'a Close of 126 bytes', bytes: frame({ opcode: CLOSE, ...control }), code: 1002 },
  { what: 'a Ping of 64 KiB', bytes: frame({ opcode: PING, lengthBytes: 8, length: 65_536 }), code: 1002 },
  { what: 'a fragmented Ping', bytes: frame({ opcode: PING, fin: false }), code: 1002 },
  { what: 'a fragmented Close', bytes: frame({ opcode: CLOSE, fin: false }), code: 1002 },
  { what: 'a continuation of nothing', bytes: frame({ opcode: CONTINUATION }), code: 1002 },
  {
    what: 'a continuation of nothing that is not final',
    bytes: frame({ opcode: CONTINUATION, fin: false }),
    code: 1002,
  },
  {
    what: 'a new message within a fragmented one',
    bytes: Buffer.concat([frame({ fin: false, payload: text('a') }), frame({ payload: text('b') })]),
    code: 1002,
  },
  {
    what: 'a continuation behind the end of its message',
    bytes: Buffer.concat([frame({ fin: false }), frame({ opcode: CONTINUATION }), frame({ opcode: CONTINUATION })]),
    code: 1002,
  },
  { what: 'a length of 2^63', bytes: frame({ lengthBytes: 8, length: 1n << 63n }), code: 1002 },
  { what: 'length 0 in two bytes', bytes: frame({ lengthBytes: 2 }), code: 1002 },
  { what: 'length 125 in two bytes', bytes: frame({ lengthBytes: 2, length: 125 }), code: 1002 },
  { what: 'length 125 in eight bytes', bytes: frame({ lengthBytes: 8, length: 125 }), code: 1002 },
  { what: 'length 65535 in eight bytes', bytes: frame({ lengthBytes: 8, length: 65_535 }), code: 1002 },
  { what: 'a Close of one byte', bytes: frame({ opcode: CLOSE, payload: Buffer.of(3) }), code: 1002 },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(code => ({
    what: `close code ${code}`,
    bytes: close(code),
    code: 1002,
  })),
  { what: 'a close reason that is not UTF-8', bytes: close(1000, Buffer.of(0xce, 0xba, 0xff)), code: 1007 },
  { what: 'a close reason that is cut within a character', bytes: close(1000, Buffer.of(0xe2, 0x82)), code: 1007 },
  { what: 'a surrogate in a close reason', bytes: close(1000, Buffer.of(0xed, 0xa0, 0x80)), code: 1007 },
];

/** Close codes that may go over the wire. */
export const LEGAL_CLOSE_CODES: readonly (number | null)[] = [
  null,
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  1012,
  1013,
  1014,
  3000,
  3999,
  4000,
  4999,
];
