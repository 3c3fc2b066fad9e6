/**
 * Node reads a socket into memory that it allocates anew for each read, unless the socket was made by net.connect() with
 * `onread`: then all of it goes through one buffer. There is no such option for a socket that was accepted, or for TLS on
 * top of one, so this sets what `onread` would have set. Where a Node has other names for it, nothing is set, and its
 * sockets are read as streams; `test/flow/static_read.test.ts` holds that the ones we know have these.
 */
import { Socket } from 'node:net';
import { type Borrower, lend } from './lent_bytes.ts';

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

/** Lends what was just read. */
export function lendRead(bytes: number, to: Borrower): void {
  lend(buffer, 0, bytes, to);
}
