import type { Socket } from 'node:net';

/** Hears the first bytes of a connection. */
export interface HeaderReader {
  bytes(chunk: Buffer): void;
  /** FIN or close came first. */
  gone(): void;
}

/** A connection that was accepted, as long as its first bytes are read: open and paused, and nothing was read of it. */
export interface HeaderSource {
  /** Begins to tell. One that has gone already is told at once. */
  read(reader: HeaderReader): void;
  /** Tells no more, and is paused. `rest` is the first that its next reader gets. */
  giveBack(rest: Buffer): void;
}

/** The source of a socket, which must not flow, and made with `allowHalfOpen`. */
export class SocketSource implements HeaderSource {
  readonly #socket: Socket;
  #onData: (chunk: Buffer) => void = () => {};
  #onGone: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  read(reader: HeaderReader): void {
    const socket = this.#socket;
    this.#onData = chunk => reader.bytes(chunk);
    this.#onGone = () => reader.gone();
    // Stays for good: whoever gets the socket next may still have to wait before listening itself.
    socket.on('error', () => {});
    socket.on('end', this.#onGone);
    socket.on('close', this.#onGone);
    socket.on('data', this.#onData);
    if (socket.destroyed || socket.readableEnded) reader.gone();
    else socket.resume();
  }

  giveBack(rest: Buffer): void {
    const socket = this.#socket;
    socket.pause();
    socket.removeListener('data', this.#onData);
    for (const event of ['end', 'close']) socket.removeListener(event, this.#onGone);
    if (rest.length > 0) socket.unshift(rest);
  }
}
