/**
 * Bytes on their way through a relay. They are read into memory that all connections use, and told from there: fresh memory for
 * each read costs more than reading and writing it, most of it in V8's garbage collector. So whoever writes them must not keep
 * them: OpenSSL and the engine do not, a socket of Node's may.
 */
import type { Socket } from 'node:net';

/** Hears bytes that it may change and write, and keeps by no way but `ownCopy` and `writeLent`. */
export interface Borrower {
  bytes(chunk: Buffer): void;
}

/** As much as is read at once. */
const LONG_BYTES = 64 * 1024;
/** Two sizes: what a slow peer keeps of a short chunk should not be long. */
const SHORT_BYTES = 16 * 1024;
let short: Buffer | null = null;
let long: Buffer | null = null;
let lent: Buffer | null = null;

/** Tells these bytes, in memory that is written over when this has returned. */
export function lend(memory: Buffer, from: number, bytes: number, to: Borrower): void {
  const outer = lent;
  lent = memory;
  to.bytes(memory.subarray(from, from + bytes));
  lent = outer;
}

/** Whether these bytes are of what is lent now. */
export function isLent(bytes: Buffer): boolean {
  return bytes.buffer === lent?.buffer;
}

/** The same bytes, neither lent nor a small part of something larger, which would live as long. */
export function ownCopy(bytes: Buffer): Buffer {
  if (!isLent(bytes) && bytes.buffer.byteLength <= 2 * bytes.length) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

/**
 * Writes lent bytes, 64 KiB at most, to a socket to which nothing waits to be written, as its write() does. What the kernel does
 * not take at once is a copy that is the socket's own.
 */
export function writeLent(socket: Socket, bytes: Buffer): boolean {
  const isShort = bytes.length <= SHORT_BYTES;
  const memory = (isShort ? short : long) ?? Buffer.allocUnsafeSlow(isShort ? SHORT_BYTES : LONG_BYTES);
  // Nobody's before it is known that the socket does not keep it.
  if (isShort) short = null;
  else long = null;
  bytes.copy(memory);
  const hasRoom = socket.write(memory.subarray(0, bytes.length));
  if (socket.writableLength > 0) return hasRoom;
  if (isShort) short = memory;
  else long = memory;
  return hasRoom;
}
