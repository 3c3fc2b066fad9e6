import type { PrereadHolder, PrereadPool } from '../preread_pool.ts';
import type { Connect, Hello } from '../stages.ts';
import { freeBytes } from './free_bytes.ts';
import { type Refusal, refusePreread } from './refusal.ts';

const EMPTY = Buffer.alloc(0);
/** So that bytes that trickle do not ask the pool each time. */
const STEP_BYTES = 4096;

/**
 * What comes behind a CONNECT in the WebSocket message that it ends in. Brokers that get the client's own frames read whole
 * messages: one that never sees the end of this message answers nothing, and would be blamed for it. So the rest is
 * waited for, within the CONNECT's deadline and out of the same pool.
 *
 * Whoever made it releases it.
 */
export class MessageTail implements PrereadHolder {
  readonly #connect: Connect;
  readonly #pool: PrereadPool;
  readonly #onEvicted: (refusal: Refusal) => void;
  #buffer: Buffer = EMPTY;
  #length = 0;

  constructor(connect: Connect, pool: PrereadPool, onEvicted: (refusal: Refusal) => void) {
    this.#connect = connect;
    this.#pool = pool;
    this.#onEvicted = onEvicted;
  }

  /** Everything that was pushed. */
  hello(): Hello {
    return { connect: this.#connect, bytes: this.#buffer.subarray(0, this.#length) };
  }

  /** Copies a chunk; the first one has the CONNECT in it. A refusal: there is no room for it. */
  push(chunk: Buffer): Refusal | null {
    const total = this.#length + chunk.length;
    if (total > this.#buffer.length && !this.#grow(total)) {
      return refusePreread(this.#connect.version, `no room for ${total} bytes in ${this.#pool.limitBytes}`);
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = total;
    return null;
  }

  tooLate(): Refusal {
    return { reason: 'too_late', detail: this.#progress(), answer: null };
  }

  closedEarly(): Refusal {
    return { reason: 'closed_early', detail: this.#progress(), answer: null };
  }

  release(): void {
    this.#pool.release(this);
  }

  /** The same, and nobody gets its bytes. */
  discard(): void {
    this.release();
    freeBytes(this.#buffer);
  }

  /** The pool's word; nobody else calls it. */
  evict(): void {
    this.#onEvicted(refusePreread(this.#connect.version, `evicted: held ${this.#buffer.length} bytes`));
  }

  #grow(neededBytes: number): boolean {
    const capacity = Math.max(STEP_BYTES, neededBytes, this.#buffer.length * 2);
    if (!this.#pool.reserve(this, capacity)) return false;
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(grown, 0, 0, this.#length);
    freeBytes(this.#buffer);
    this.#buffer = grown;
    return true;
  }

  #progress(): string {
    return `a whole CONNECT, and ${this.#length} bytes of a WebSocket message that is not`;
  }
}
