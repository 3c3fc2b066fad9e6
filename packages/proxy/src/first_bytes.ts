import type { PrereadHolder, PrereadPool } from './preread_pool.ts';

const NOTHING = Buffer.alloc(0);
/** A CONNECT of common size is not worth the bookkeeping: there are no more of them than connections. */
const SMALL_BYTES = 4096;

/**
 * What a client said first, from the end of the preread until a broker has it: every attempt at a server needs it again.
 * Large ones stay within `global.preread_memory` meanwhile.
 */
export class FirstBytes implements PrereadHolder {
  readonly #pool: PrereadPool;
  #bytes: Buffer = NOTHING;
  #onEvicted: () => void = () => {};
  #isLost = false;

  constructor(pool: PrereadPool) {
    this.#pool = pool;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** There was no room for them, or others needed it more: the client cannot go on. Stays so after forget(). */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** False: there is no room for them. `onEvicted`: there was, but others need it more; they are gone. */
  keep(bytes: Buffer, onEvicted: () => void): boolean {
    if (!this.#hasRoomFor(bytes.length)) return false;
    this.#bytes = bytes;
    this.#onEvicted = onEvicted;
    return true;
  }

  /** A chunk more, while it waits. False: there is no room for it. */
  add(chunk: Buffer): boolean {
    if (this.#isLost || !this.#hasRoomFor(this.#bytes.length + chunk.length)) return false;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    return true;
  }

  /** May be called twice. */
  forget(): void {
    this.#pool.release(this);
    this.#bytes = NOTHING;
    this.#onEvicted = () => {};
  }

  evict(): void {
    this.#isLost = true;
    this.#bytes = NOTHING;
    this.#onEvicted();
  }

  #hasRoomFor(length: number): boolean {
    if (length <= SMALL_BYTES || this.#pool.reserve(this, length)) return true;
    this.#isLost = true;
    return false;
  }
}
