/**
 * A client that pings and measures, to see whether others disturb it.
 */
import type { RawSocket } from './raw_socket.ts';

export const PINGREQ: Buffer = Buffer.of(0xc0, 0);
export const PINGRESP: Buffer = Buffer.of(0xd0, 0);

/** Round trips of a client, from now until it is disposed of: with it goes the client. */
export class Pings implements Disposable {
  readonly #client: RawSocket;
  #ended = false;
  #sentMs = 0;
  /** Of those since the last mark(). */
  #tripsMs: number[] = [];

  constructor(client: RawSocket) {
    this.#client = client;
    client.onBytes(() => this.#answered());
    this.#send();
  }

  mark(): void {
    this.#tripsMs = [];
  }

  /** Milliseconds of each round trip since mark(). */
  get tripsMs(): readonly number[] {
    return this.#tripsMs;
  }

  #send(): void {
    if (this.#ended) return;
    this.#sentMs = performance.now();
    void this.#client.write(PINGREQ).catch(() => undefined);
  }

  #answered(): void {
    this.#tripsMs.push(performance.now() - this.#sentMs);
    setTimeout(() => this.#send(), 10);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#client[Symbol.dispose]();
  }
}
