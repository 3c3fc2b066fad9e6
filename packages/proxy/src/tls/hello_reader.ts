import type { Socket } from 'node:net';
import type { PrereadHolder, PrereadPool } from '../preread_pool.ts';
import { type ClientHello, readClientHello } from './client_hello.ts';

export type HelloEnd =
  /** Its bytes, and those behind it, are in the socket again. */
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'stranger' | 'bad'; readonly detail: string }
  /** The connection is gone, or half of it. `bytes`: what came before. */
  | { readonly kind: 'closed'; readonly bytes: number }
  /** `global.preread_memory` is used up. */
  | { readonly kind: 'memory' };

/** Chunks that are kept apart before they are joined: many small buffers would weigh more than their bytes. */
const MAX_CHUNKS = 64;

/**
 * Waits until the ClientHello is whole, and keeps every byte in the socket. It costs nothing but the bytes: no key is
 * computed and no handshake begins before. The memory stays reserved until release().
 */
export class HelloReader implements PrereadHolder {
  readonly #socket: Socket;
  readonly #pool: Pick<PrereadPool, 'reserve' | 'release'>;
  readonly #onEnd: (end: HelloEnd) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #atLeast = 1;
  #isOver = false;

  /** The socket must not flow. `onEnd` is called once; after `hello`, `memory` may follow until release(). */
  constructor(socket: Socket, pool: Pick<PrereadPool, 'reserve' | 'release'>, onEnd: (end: HelloEnd) => void) {
    this.#socket = socket;
    this.#pool = pool;
    this.#onEnd = onEnd;
    socket.on('readable', this.#read);
    socket.once('end', this.#closed);
    socket.once('close', this.#closed);
    // What earlier stages have put back is told by no event.
    if (socket.readableLength > 0) process.nextTick(this.#read);
  }

  /** Hears nothing more. May be called twice. */
  cancel(): void {
    if (!this.#isOver) this.#stop();
    this.release();
  }

  /** Gives the memory back: somebody else has taken the bytes out of the socket. */
  release(): void {
    this.#pool.release(this);
  }

  /** Also while the whole hello waits for its turn. */
  evict(): void {
    this.#stop();
    this.#onEnd({ kind: 'memory' });
  }

  readonly #read = (): void => {
    while (!this.#isOver) {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk === null) return;
      this.#bytes += chunk.length;
      this.#chunks.push(chunk);
      if (!this.#pool.reserve(this, this.#bytes)) this.#finish({ kind: 'memory' });
      else if (this.#bytes >= this.#atLeast) this.#look();
      else if (this.#chunks.length >= MAX_CHUNKS) this.#chunks = [Buffer.concat(this.#chunks)];
    }
  };

  #look(): void {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    const reading = readClientHello(bytes);
    if (reading.kind === 'more') {
      this.#atLeast = reading.atLeastBytes;
      return;
    }
    if (reading.kind === 'hello') {
      this.#stop();
      this.#socket.unshift(bytes);
      this.#onEnd(reading);
      return;
    }
    this.#finish(reading);
  }

  readonly #closed = (): void => {
    if (!this.#isOver) this.#finish({ kind: 'closed', bytes: this.#bytes });
  };

  #finish(end: HelloEnd): void {
    this.#stop();
    this.release();
    this.#onEnd(end);
  }

  #stop(): void {
    this.#isOver = true;
    this.#chunks = [];
    this.#socket.removeListener('readable', this.#read);
    this.#socket.removeListener('end', this.#closed);
    this.#socket.removeListener('close', this.#closed);
  }
}
