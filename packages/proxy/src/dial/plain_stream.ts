import type { Socket } from 'node:net';
import type { Endpoint, EndpointListener } from '../endpoint.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';
import type { OpenStream, SocketEvents } from './stream.ts';

/** A stream that Node opens, without TLS. One object: there is one for each session. */
export class PlainStream implements OpenStream, EndpointListener {
  readonly #endpoint: TcpEndpoint;
  readonly #events: SocketEvents;
  #isOpen = false;

  /** `socket` is connecting. */
  constructor(socket: Socket, header: Buffer | null, first: Buffer, events: SocketEvents) {
    this.#endpoint = new TcpEndpoint(socket);
    this.#events = events;
    this.#endpoint.attach(this);
    socket.once('connect', () => this.#opened(header === null ? first : Buffer.concat([header, first])));
  }

  endpoint(): Endpoint | null {
    return this.#isOpen ? this.#endpoint : null;
  }

  reset(): void {
    this.#endpoint.reset();
  }

  bytes(): void {}

  drained(): void {}

  ended(): void {}

  /** Somebody else listens when it is open. */
  closed(code: string | null): void {
    this.#events.failed(code ?? 'ECONNREFUSED');
  }

  #opened(bytes: Buffer): void {
    this.#isOpen = true;
    if (bytes.length > 0) this.#endpoint.write(bytes);
    this.#events.opened(this.#endpoint);
  }
}
