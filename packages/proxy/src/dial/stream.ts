import { connect, type Socket } from 'node:net';
import { type Endpoint, NOBODY } from '../endpoint.ts';
import { errorCode } from '../errors.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';
import type { BrokerTls, TlsConnecting } from '../tls/dial_tls.ts';
import { tlsEndpoint } from '../tls/tls_endpoint.ts';

/** Where a stream leads, and what it is made of. */
export interface StreamOrder {
  /** Literal. */
  readonly address: string;
  readonly port: number;
  /** A PROXY header goes out before everything else, TLS too. */
  readonly header: Buffer | null;
  readonly tls: BrokerTls | null;
}

export interface StreamEvents {
  /** The endpoint is paused; `first` is on its way. */
  opened(endpoint: Endpoint): void;
  /** Comes instead of opened(), with the system's or OpenSSL's code. */
  failed(code: string): void;
}

/** A stream that is being opened, or open. */
export interface OpenStream {
  /** Null until it is open. */
  endpoint(): Endpoint | null;
  /** Gives it up, in whatever state it is. */
  reset(): void;
}

/** Opens a stream to a server and says `first` on it, in one write with the PROXY header where there is no TLS. */
export function openStream(order: StreamOrder, first: Buffer, events: StreamEvents): OpenStream {
  const socket = connect({ host: order.address, port: order.port, allowHalfOpen: true, noDelay: true });
  return order.tls === null
    ? openPlain(socket, order, first, events)
    : openTls(socket, order, order.tls, first, events);
}

function openPlain(socket: Socket, order: StreamOrder, first: Buffer, events: StreamEvents): OpenStream {
  const endpoint = new TcpEndpoint(socket);
  let isOpen = false;
  endpoint.attach({ ...NOBODY, closed: code => events.failed(code ?? 'ECONNREFUSED') });
  socket.once('connect', () => {
    isOpen = true;
    const bytes = order.header === null ? first : Buffer.concat([order.header, first]);
    if (bytes.length > 0) endpoint.write(bytes);
    events.opened(endpoint);
  });
  return { endpoint: () => (isOpen ? endpoint : null), reset: () => endpoint.reset() };
}

function openTls(socket: Socket, order: StreamOrder, tls: BrokerTls, first: Buffer, events: StreamEvents): OpenStream {
  let endpoint: Endpoint | null = null;
  let connecting: TlsConnecting | null = null;
  const failed = (error: unknown): void => events.failed(errorCode(error));
  socket.pause();
  socket.once('error', failed);
  socket.once('connect', async () => {
    if (order.header !== null) socket.write(order.header);
    connecting = tls.connect(socket);
    const result = await connecting.result;
    socket.off('error', failed);
    if (result.kind === 'failed') {
      events.failed(`${result.reason}: ${result.detail}`);
      return;
    }
    endpoint = tlsEndpoint(result.socket, socket);
    endpoint.write(first);
    events.opened(endpoint);
  });
  const reset = (): void => {
    if (endpoint !== null) endpoint.reset();
    else if (connecting !== null) connecting.cancel();
    else socket.destroy();
  };
  return { endpoint: () => endpoint, reset };
}
