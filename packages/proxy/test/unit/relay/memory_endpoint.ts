/** An endpoint without a socket: the test plays the peer, and sees everything that is asked of it. */
import { type Endpoint, type EndpointListener, NOBODY } from '../../../src/endpoint.ts';

export class MemoryEndpoint implements Endpoint {
  bytesIn = 0;
  bytesOut = 0;
  /** What was asked of it besides bytes, in order. */
  readonly asked: string[] = [];
  isPaused = true;
  /** The peer takes no bytes. */
  isSlow = false;
  readonly #written: Buffer[] = [];
  readonly #waiting: Buffer[] = [];
  #listener: EndpointListener = NOBODY;
  isClosed = false;

  /** Everything that was written to it. */
  get written(): string {
    return Buffer.concat(this.#written).toString('latin1');
  }

  attach(listener: EndpointListener): void {
    this.#listener = listener;
  }

  resume(): void {
    this.isPaused = false;
    for (const chunk of this.#waiting.splice(0)) this.#listener.bytes(chunk);
  }

  pause(): void {
    this.isPaused = true;
  }

  write(bytes: Buffer): boolean {
    this.#written.push(bytes);
    this.bytesOut += bytes.length;
    return !this.isSlow;
  }

  end(): void {
    this.asked.push('end');
  }

  /** The peer of a slow one does not take the bytes: it stays open. */
  close(): void {
    this.asked.push('close');
    if (!this.isSlow) this.closes(null);
  }

  abort(): void {
    this.asked.push('abort');
    if (!this.isSlow) this.closes('ECONNABORTED');
  }

  reset(): void {
    this.asked.push('reset');
    this.closes('ECONNABORTED');
  }

  keepAlive(idleMs: number): void {
    this.asked.push(`keepAlive ${idleMs}`);
  }

  /** The peer sends. */
  sends(text: string): void {
    const chunk = Buffer.from(text, 'latin1');
    this.bytesIn += chunk.length;
    if (this.isPaused) this.#waiting.push(chunk);
    else this.#listener.bytes(chunk);
  }

  /** The peer has taken everything. */
  drains(): void {
    this.isSlow = false;
    this.#listener.drained();
  }

  /** The peer sends FIN. */
  ends(): void {
    this.#listener.ended();
  }

  /** Both directions are gone; once. */
  closes(code: string | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#listener.closed(code);
  }
}
