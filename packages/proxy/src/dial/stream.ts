import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsServerConfig } from '../config/resolved.ts';
import { type Endpoint, NOBODY } from '../endpoint.ts';
import { errorCode } from '../errors.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';
import { connectTls } from '../tls/dial_tls.ts';
import { TlsEndpoint } from '../tls/tls_endpoint.ts';

/** Where a stream leads, and what it is made of. */
export interface StreamOrder {
  /** Literal. */
  readonly address: string;
  readonly port: number;
  /** The server's name, as configured: what its certificate is checked for. */
  readonly host: string;
  /** A PROXY header goes out before everything else, TLS too. */
  readonly header: Buffer | null;
  readonly tls: TlsServerConfig | null;
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
  return order.tls === null ? openPlain(socket, order, first, events) : openTls(socket, order, order.tls, first, events);
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

function openTls(
  socket: Socket,
  order: StreamOrder,
  tls: TlsServerConfig,
  first: Buffer,
  events: StreamEvents,
): OpenStream {
  let endpoint: Endpoint | null = null;
  const failed = (error: unknown): void => events.failed(errorCode(error));
  const secured = (secure: TLSSocket): void => {
    secure.off('error', failed);
    endpoint = new TlsEndpoint(secure, socket);
    endpoint.write(first);
    events.opened(endpoint);
  };
  socket.once('error', failed);
  socket.once('connect', () => {
    socket.off('error', failed);
    if (order.header !== null) socket.write(order.header);
    const secure = connectTls(socket, tls, order.host);
    secure.once('error', failed);
    secure.once('close', () => endpoint === null && events.failed('ECONNRESET'));
    secure.once('secureConnect', () => secured(secure));
  });
  return {
    endpoint: () => endpoint,
    reset: () => (endpoint === null ? socket.resetAndDestroy() : endpoint.reset()),
  };
}
