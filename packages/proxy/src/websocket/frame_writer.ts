import type { Endpoint } from '../endpoint.ts';
import { closeFrame, dataFrame, pingFrame, pongFrame } from './frame_encoder.ts';

/** Writes frames to a stream. Nothing follows a Close (RFC 6455, 5.5.1). */
export class FrameWriter {
  readonly #inner: Endpoint;
  #closed = false;
  #blocked = false;
  /** A data() was told that the stream is full. */
  #owesDrained = false;
  /** The last Ping that came while the stream was full: a client that does not read collects no more than one. */
  #owedPong: Buffer | null = null;

  constructor(inner: Endpoint) {
    this.#inner = inner;
  }

  /** The stream is full, and has not drained since. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /** One frame. False: wait until drained() answers true. */
  data(payload: Buffer): boolean {
    if (this.#closed) return true;
    for (const part of dataFrame(payload)) this.#send(part);
    if (this.#blocked) this.#owesDrained = true;
    return !this.#blocked;
  }

  ping(): void {
    if (!this.#closed) this.#send(pingFrame());
  }

  pong(payload: Buffer): void {
    if (this.#closed) return;
    if (this.#blocked) this.#owedPong = payload;
    else this.#send(pongFrame(payload));
  }

  close(code: number | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owedPong = null;
    this.#send(closeFrame(code));
  }

  /** The stream has drained. True: whoever writes data must be told. */
  drained(): boolean {
    this.#blocked = false;
    const payload = this.#owedPong;
    this.#owedPong = null;
    if (payload !== null) this.pong(payload);
    if (this.#blocked || !this.#owesDrained) return false;
    this.#owesDrained = false;
    return true;
  }

  /** A stream that was full counts as full until it says that it has drained: later writes may fit all the same. */
  #send(frame: Buffer): void {
    if (!this.#inner.write(frame)) this.#blocked = true;
  }
}
