import { LimpetError } from '../errors.ts';
import type { PrereadHolder, PrereadPool } from '../preread_pool.ts';
import type { Connect, Hello } from '../stages.ts';
import { decodeConnect } from './connect.ts';
import { freeBytes } from './free_bytes.ts';
import { MAX_HEAD_BYTES, readHead } from './head.ts';
import { type Refusal, refusePreread } from './refusal.ts';
import { MAX_SHOWN_BYTES, shownHead } from './shown_head.ts';

/**
 * What the bytes so far amount to: too little yet, a whole CONNECT that is legal, or something that cannot become one.
 */
export type Step =
  | { readonly kind: 'more' }
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'bad'; readonly refusal: Refusal };

const MORE: Step = { kind: 'more' };
const EMPTY = Buffer.alloc(0);
/** What the first byte of a cut CONNECT costs; most CONNECTs fit. */
const MIN_CAPACITY_BYTES = 256;

/**
 * Puts one client's CONNECT together from any fragments, keeping every byte in order (P1). What is wrong is told at the
 * first byte that shows it (P7).
 *
 * A CONNECT that comes whole in one chunk is not copied and takes nothing from the pool. Otherwise the bytes are copied
 * into a buffer that doubles as they come, up to the packet's own length: a length that is only claimed costs nothing,
 * and all copying together is linear. Bytes behind the CONNECT can only be of the last chunk.
 *
 * Whoever made the reader releases it. After `hello` and `bad` it holds nothing, and releasing it is harmless.
 */
export class ConnectReader implements PrereadHolder {
  readonly #maxSizeBytes: number;
  readonly #pool: PrereadPool;
  readonly #onEvicted: (refusal: Refusal) => void;
  #buffer: Buffer = EMPTY;
  #heldBytes = 0;
  #receivedBytes = 0;
  #packetBytes: number | null = null;
  #version: Connect['version'] | null = null;
  #outcome: Step | null = null;
  #shown = '';

  /**
   * @param limits `maxSizeBytes`: what a CONNECT may take, its fixed header included
   * @param onEvicted called when the pool ends this reader in favour of another one, from within that one's push()
   */
  constructor(limits: { readonly maxSizeBytes: number }, pool: PrereadPool, onEvicted: (refusal: Refusal) => void) {
    this.#maxSizeBytes = limits.maxSizeBytes;
    this.#pool = pool;
    this.#onEvicted = onEvicted;
  }

  /** Everything that was pushed. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The length of the CONNECT, its fixed header included, as soon as it is known. */
  get packetBytes(): number | null {
    return this.#packetBytes;
  }

  /** Of a CONNECT that is malformed: what an operator may see of it, in hex. Else empty. */
  get shownHead(): string {
    return this.#shown;
  }

  /** What it holds of the pool. */
  get reservedBytes(): number {
    return this.#pool.heldBy(this);
  }

  /**
   * Takes what the client sent; the chunk is the reader's from now on. After `bad` or release() it answers the same again.
   * @throws LimpetError after `hello`: bytes would be lost, for they belong to the next stage
   */
  push(chunk: Buffer): Step {
    if (this.#outcome?.kind === 'hello') {
      throw new LimpetError('PREREAD_OVER', 'bytes were pushed behind a whole CONNECT', 'Report this as a bug.');
    }
    if (this.#outcome !== null) return this.#outcome;
    this.#receivedBytes += chunk.length;
    const refusal = this.#version === null ? this.#readHead(chunk) : null;
    if (refusal !== null) return this.#conclude({ kind: 'bad', refusal });
    if (this.#packetBytes !== null && this.#heldBytes + chunk.length >= this.#packetBytes) {
      return this.#complete(chunk, this.#packetBytes);
    }
    return this.#keep(chunk);
  }

  /** The client's deadline passed. Closed without an answer: its CONNECT is not whole. */
  tooLate(): Refusal {
    return { reason: 'too_late', detail: this.#progress(), answer: null };
  }

  /** The client sent FIN, or left. */
  closedEarly(): Refusal {
    return { reason: 'closed_early', detail: this.#progress(), answer: null };
  }

  /** Lets go of everything. May be called at any time, twice too. */
  release(): void {
    if (this.#outcome === null) this.#conclude({ kind: 'bad', refusal: this.closedEarly() });
  }

  /** The pool's word; nobody else calls it. */
  evict(): void {
    const refusal = refusePreread(this.#version, `evicted: held ${this.#buffer.length} bytes, the most of all`);
    this.#conclude({ kind: 'bad', refusal });
    this.#onEvicted(refusal);
  }

  /** Head and new bytes together are looked at until the version is known: fourteen bytes at most. */
  #readHead(chunk: Buffer): Refusal | null {
    const held = this.#buffer.subarray(0, this.#heldBytes);
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk.subarray(0, MAX_HEAD_BYTES)]);
    const head = readHead(bytes, this.#maxSizeBytes);
    if (head.kind === 'bad') {
      this.#shown = shownHead(bytes.subarray(0, MAX_SHOWN_BYTES));
      return head.refusal;
    }
    this.#packetBytes = head.packetBytes;
    if (head.kind === 'head') this.#version = head.version;
    return null;
  }

  #complete(chunk: Buffer, packetBytes: number): Step {
    const bytes = this.#joined(chunk);
    const answer = decodeConnect(bytes.subarray(0, packetBytes));
    if (!answer.ok) {
      this.#shown = shownHead(bytes.subarray(0, MAX_SHOWN_BYTES));
      return this.#conclude({ kind: 'bad', refusal: answer.refusal });
    }
    return this.#conclude({ kind: 'hello', hello: { connect: answer.connect, bytes } });
  }

  #joined(chunk: Buffer): Buffer {
    if (this.#heldBytes === 0) return chunk;
    const total = this.#heldBytes + chunk.length;
    if (total > this.#buffer.length) {
      const joined = Buffer.concat([this.#buffer.subarray(0, this.#heldBytes), chunk], total);
      freeBytes(this.#buffer);
      return joined;
    }
    chunk.copy(this.#buffer, this.#heldBytes);
    return this.#buffer.subarray(0, total);
  }

  #keep(chunk: Buffer): Step {
    const total = this.#heldBytes + chunk.length;
    if (total > this.#buffer.length && !this.#grow(total)) {
      const refusal = refusePreread(this.#version, `no room for ${total} bytes in ${this.#pool.limitBytes}`);
      return this.#conclude({ kind: 'bad', refusal });
    }
    chunk.copy(this.#buffer, this.#heldBytes);
    freeBytes(chunk);
    this.#heldBytes = total;
    return MORE;
  }

  #grow(neededBytes: number): boolean {
    let capacity = Math.max(MIN_CAPACITY_BYTES, this.#buffer.length * 2);
    while (capacity < neededBytes) capacity *= 2;
    capacity = Math.min(capacity, this.#packetBytes ?? capacity);
    if (!this.#pool.reserve(this, capacity)) return false;
    // Not of Node's shared pool: a few bytes would keep its 8 KiB alive, which nobody would count.
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(grown, 0, 0, this.#heldBytes);
    freeBytes(this.#buffer);
    this.#buffer = grown;
    return true;
  }

  #conclude(outcome: Step): Step {
    this.#outcome = outcome;
    if (outcome.kind === 'bad') freeBytes(this.#buffer);
    this.#forget();
    return outcome;
  }

  #forget(): void {
    this.#pool.release(this);
    this.#buffer = EMPTY;
    this.#heldBytes = 0;
  }

  #progress(): string {
    if (this.#receivedBytes === 0) return 'no byte came';
    return `${this.#receivedBytes} bytes came of ${this.#packetBytes ?? 'a CONNECT of unknown length'}`;
  }
}
