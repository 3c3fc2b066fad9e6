import { isLent } from '../lent_bytes.ts';

/** Less is left to V8. */
const WORTH_BYTES = 4096;

/**
 * Gives the memory of a buffer back that nobody sees any more, where Node can (22 and later): what is only dropped stays until
 * V8's next collection, and it lets much more wait for that than a pool would allow. Every view of it is empty from now on.
 */
export function freeBytes(buffer: Buffer<ArrayBufferLike>): void {
  const memory: ArrayBufferLike & { transfer?: (bytes: number) => unknown } = buffer.buffer;
  const isWhole = memory.byteLength === buffer.length && !isLent(buffer);
  if (isWhole && memory.byteLength >= WORTH_BYTES) memory.transfer?.(0);
}
