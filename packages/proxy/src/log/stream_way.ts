import { connect, type Socket } from 'node:net';
import { codedError, type Sent, type Way } from './way.ts';

/** How long connecting may take, and a receiver may take nothing. */
const CONNECT_MS = 5000;
const STALLED_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;

export type StreamAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * A stream to a syslog server, connected when there is something to send. A piece whose connection breaks is sent again on
 * the next one, from its beginning: a line may come twice there, but none is cut.
 */
export class StreamWay implements Way {
  readonly #address: StreamAddress;
  #socket: Socket | null = null;
  /** Who waits for its bytes. */
  #sent: Sent | null = null;

  constructor(address: StreamAddress) {
    this.#address = address;
  }

  send(bytes: Buffer, sent: Sent): void {
    this.#sent = sent;
    const socket = this.#socket ?? this.#connect();
    socket.write(bytes, error => {
      if (!error) this.#settle(null, bytes.length);
    });
  }

  reopen(): null {
    this.#socket?.destroy();
    return null;
  }

  /** Writes wait in the socket until it is connected. */
  #connect(): Socket {
    const socket = connect(this.#address).unref();
    this.#socket = socket;
    let failure: NodeJS.ErrnoException | null = null;
    socket.setTimeout(CONNECT_MS, () => {
      // Silence is a fault only while something waits.
      if (this.#sent !== null) socket.destroy(codedError('ETIMEDOUT'));
    });
    socket.once('connect', () => socket.setTimeout(STALLED_MS).setKeepAlive(true, KEEP_ALIVE_MS));
    socket.on('error', error => {
      failure = error;
    });
    // Read, so that the end is seen while there is nothing to send.
    socket.on('end', () => socket.destroy()).resume();
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#settle(failure ?? codedError('ECONNRESET'), 0);
    });
    return socket;
  }

  #settle(error: NodeJS.ErrnoException | null, written: number): void {
    const sent = this.#sent;
    this.#sent = null;
    sent?.(error, written);
  }
}
