/** A server's frames: whole messages, not masked (RFC 6455, 5.1 and 5.2). */

const FIN = 0x80;
const BINARY = 0x2;
const CLOSE_OPCODE = 0x8;
const PING = 0x9;
const PONG = 0xa;
/** Copying up to this costs less than a second write, and what fits goes out in one segment. */
const MAX_COPIED_BYTES = 16 * 1024;

/**
 * A binary frame with this payload, in one buffer, or in two where the payload is too long to be copied. The payload must
 * not change afterwards.
 */
export function dataFrame(payload: Buffer): readonly Buffer[] {
  return payload.length <= MAX_COPIED_BYTES ? [whole(BINARY, payload)] : [headOf(BINARY, payload.length), payload];
}

/** The payload: at most 125 bytes, as the peer's Ping had it. */
export function pongFrame(payload: Buffer): Buffer {
  return whole(PONG, payload);
}

export function pingFrame(): Buffer {
  return headOf(PING, 0);
}

/** `code` null: without one, as an answer to a Close that has none. */
export function closeFrame(code: number | null): Buffer {
  const head = headOf(CLOSE_OPCODE, code === null ? 0 : 2);
  return code === null ? head : Buffer.concat([head, Buffer.of(code >>> 8, code & 0xff)]);
}

/** In one piece of memory, made once: a small message costs little else. */
function whole(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const headBytes = length < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = FIN | opcode;
  if (headBytes === 2) frame[1] = length;
  else {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  }
  payload.copy(frame, headBytes);
  return frame;
}

function headOf(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.of(FIN | opcode, length);
  if (length < 65_536) return Buffer.of(FIN | opcode, 126, length >>> 8, length & 0xff);
  const head = Buffer.alloc(10);
  head[0] = FIN | opcode;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
