import type { Socket } from 'node:net';
import { type Endpoint, type EndpointListener, NOBODY } from './endpoint.ts';
import { errorCode } from './errors.ts';

const NOTHING = Buffer.alloc(0);

/**
 * A side over TCP, plain or TLS. Takes over the socket, which must be open, paused and made with `allowHalfOpen`; nobody
 * else touches the socket afterwards.
 */
export class TcpEndpoint implements Endpoint {
  readonly #socket: Socket;
  readonly #transport: Socket;
  readonly #skipped: number;
  #listener: EndpointListener = NOBODY;
  #code: string | null = null;
  #closed = false;
  #flowing = false;
  /** FIN: `unseen`, `waiting` for somebody who listens, `told`. */
  #fin: 'unseen' | 'waiting' | 'told' = 'unseen';

  /**
   * `transport` is the TCP connection itself, where `socket` is TLS on top of it; `skipped` is how many bytes were read
   * of it before and are not to be counted.
   */
  constructor(socket: Socket, transport: Socket = socket, skipped = 0) {
    this.#skipped = skipped;
    this.#socket = socket;
    this.#transport = transport;
    // Paused first: a listener for 'data' sets a socket going otherwise.
    socket.pause();
    socket.on('data', chunk => this.#listener.bytes(chunk as Buffer));
    socket.on('drain', () => this.#listener.drained());
    socket.on('end', () => this.#confirmEnd());
    socket.on('error', error => {
      this.#code ??= errorCode(error);
      // TLS tells an error in its records, and leaves the connection open.
      socket.destroy();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#listener.closed(this.#code);
    });
  }

  attach(listener: EndpointListener): void {
    this.#listener = listener;
    // A socket may die between two stages; whoever comes next must still be told.
    if (this.#closed) queueMicrotask(() => this.#listener === listener && listener.closed(this.#code));
  }

  resume(): void {
    this.#flowing = true;
    this.#socket.resume();
    if (this.#fin === 'waiting') queueMicrotask(() => this.#tellEnd());
  }

  pause(): void {
    this.#flowing = false;
    this.#socket.pause();
  }

  write(bytes: Buffer): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true;
    return this.#socket.write(bytes);
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  close(): void {
    // What the peer still sends is of no use to anybody, but unread bytes would turn our FIN into RST.
    this.#socket.resume();
    this.#socket.destroySoon();
  }

  abort(): void {
    if (this.#socket.writableLength === 0) this.reset();
    else if (this.#socket.writableEnded) this.#socket.once('finish', () => this.reset());
    else this.#socket.write(NOTHING, () => this.reset());
  }

  reset(): void {
    if (this.#socket.destroyed) return;
    this.#code ??= 'ECONNABORTED';
    // While a FIN is on its way to the kernel libuv refuses to reset (EINVAL), and Node then never tells of the close.
    if (this.#isSendingFin) this.#socket.once('finish', () => this.#transport.resetAndDestroy());
    else this.#transport.resetAndDestroy();
  }

  get #isSendingFin(): boolean {
    const { writableEnded, writableLength, writableFinished } = this.#socket;
    return writableEnded && writableLength === 0 && !writableFinished;
  }

  keepAlive(idleMs: number): void {
    this.#transport.setKeepAlive(true, idleMs);
  }

  /**
   * libuv tells an end, not an error, where RST comes right behind bytes (POLLHUP after a partial read). Writing nothing
   * asks the kernel: after RST it fails. Where bytes wait to be written, they will find out.
   */
  #confirmEnd(): void {
    const socket = this.#socket;
    const confirmed = (error?: Error | null): void => {
      if (error) return;
      this.#fin = 'waiting';
      this.#tellEnd();
    };
    if (socket.destroyed) return;
    if (socket.writableEnded || socket.writableLength > 0) confirmed();
    else socket.write(NOTHING, confirmed);
  }

  /** A paused socket reads ahead, and tells an end that has no bytes before it: the next stage must still hear of it. */
  #tellEnd(): void {
    if (!this.#flowing || this.#fin !== 'waiting') return;
    this.#fin = 'told';
    this.#listener.ended();
  }

  get bytesIn(): number {
    return this.#socket.bytesRead - this.#skipped;
  }

  get bytesOut(): number {
    return this.#socket.bytesWritten;
  }
}
