/**
 * Node reads a socket into memory that it allocates anew for each read, unless the socket was made by net.connect() with
 * `onread`: then all of it goes through one buffer. There is no such option for a socket that was accepted, or for TLS on
 * top of one, so this sets what `onread` would have set. Where a Node has other names for it, nothing is set, and its
 * sockets are read as streams; `test/flow/static_read.test.ts` holds that the ones we know have these.
 */
import { Socket } from 'node:net';

/** As much as libuv reads at once. */
const READ_BYTES = 64 * 1024;
/** Longer chunks are not taken of Node's shared pool, which hands out no more than half of itself. */
const POOLED_BYTES = Buffer.poolSize >>> 1;

/** All sockets are read into it, one after the other: what is in it is copied before the next read. */
const buffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

type Names = Readonly<Record<'kBuffer' | 'kBufferCb', symbol>>;

interface ReadHandle {
  useUserBuffer?(into: Buffer): void;
}

type Inside = Socket & { readonly _handle?: ReadHandle | null } & Record<symbol, unknown>;

const names: Names | null = findNames();

function findNames(): Names | null {
  const symbols = Object.getOwnPropertySymbols(new Socket());
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const kBuffer = named('kBuffer');
  const kBufferCb = named('kBufferCb');
  return kBuffer === undefined || kBufferCb === undefined ? null : { kBuffer, kBufferCb };
}

/**
 * From now on `take` is told how many bytes were read, and fetches them with `copyOfRead` or `lendRead` before it returns;
 * the socket never emits `data`, and its pause() stops the reading itself. What the socket has read before stays in its
 * stream. False: nothing has changed.
 */
export function readStatically(socket: Socket, take: (bytes: number) => boolean): boolean {
  const inside = socket as Inside;
  const handle = inside._handle;
  if (names === null || typeof handle?.useUserBuffer !== 'function') return false;
  inside[names.kBuffer] = buffer;
  inside[names.kBufferCb] = take;
  handle.useUserBuffer(buffer);
  return true;
}

/** What was just read. `isKept`: for a while; then it takes none of a pool, which it would keep alive. */
export function copyOfRead(bytes: number, isKept: boolean): Buffer {
  const copy = isKept || bytes > POOLED_BYTES ? Buffer.allocUnsafeSlow(bytes) : Buffer.allocUnsafe(bytes);
  buffer.copy(copy, 0, 0, bytes);
  return copy;
}

/** Puts what was just read into this memory. */
export function copyReadInto(memory: Buffer, at: number, bytes: number): void {
  buffer.copy(memory, at, 0, bytes);
}

/** Two sizes: what a slow peer keeps of a short chunk should not be long. */
const SHORT_BYTES = 16 * 1024;
let short: Buffer | null = null;
let long: Buffer | null = null;
let isLentKept = false;

/** Hears bytes that it may write, and keeps by no other way. */
export interface Borrower {
  bytes(chunk: Buffer): void;
}

/**
 * Tells what was just read in memory that is lent until `bytes` returns, and used again then: fresh memory for each read
 * costs more than reading and writing it.
 */
export function lendRead(bytes: number, to: Borrower): void {
  const isShort = bytes <= SHORT_BYTES;
  const memory = (isShort ? short : long) ?? Buffer.allocUnsafeSlow(isShort ? SHORT_BYTES : READ_BYTES);
  // Nobody's before it is given back: `bytes` may throw.
  if (isShort) short = null;
  else long = null;
  buffer.copy(memory, 0, 0, bytes);
  if (!lend(memory, bytes, to)) return;
  if (isShort) short = memory;
  else long = memory;
}

/** Lends memory until `bytes` returns. False: somebody keeps it. */
export function lend(memory: Buffer, bytes: number, to: Borrower): boolean {
  isLentKept = false;
  to.bytes(memory.subarray(0, bytes));
  return !isLentKept;
}

/** The kernel has not taken all of something that was written: it may be what is lent now. */
export function keepLent(): void {
  isLentKept = true;
}

/** The same bytes, apart from what they may be a small part of. */
export function apart(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength <= 2 * bytes.length) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
