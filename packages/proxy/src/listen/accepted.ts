import type { Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { type HeaderSource, SocketSource } from '../gate/header_source.ts';
import type { Address } from '../stages.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';

/** A connection as it was accepted: nothing has been read of it, and nobody else has it. Whoever holds it closes it. */
export interface Accepted {
  /** The peer of the TCP connection; null: it has gone before anybody looked. */
  readonly source: Address | null;
  /** The address of this host that it came to. */
  readonly destination: Address;
  /** The socket, for TLS; null: it is the engine's, and only an endpoint can be made of it. */
  readonly socket: Socket | null;
  /** For reading a PROXY header, before everything else. */
  header(): HeaderSource;
  /** As an endpoint, paused. Once. `skipped`: bytes that were read of it before and are not to be counted. */
  open(skipped: number): Endpoint;
  /** Closes it now. */
  close(): void;
  /** RST, or nothing where it is closed already. */
  reset(): void;
  readonly isGone: boolean;
}

/** A socket of Node's, which is open and paused, and made with `allowHalfOpen`. */
export class SocketAccepted implements Accepted {
  readonly source: Address | null;
  readonly destination: Address;
  readonly socket: Socket;

  /** `destination`: where it came to; null: the socket knows. */
  constructor(socket: Socket, destination: Address | null) {
    this.socket = socket;
    const { remoteAddress, remotePort } = socket;
    this.source = remoteAddress === undefined ? null : plainAddress(remoteAddress, remotePort);
    this.destination = destination ?? plainAddress(socket.localAddress, socket.localPort);
  }

  header(): HeaderSource {
    return new SocketSource(this.socket);
  }

  open(skipped: number): Endpoint {
    return new TcpEndpoint(this.socket, this.socket, skipped);
  }

  close(): void {
    this.socket.destroy();
  }

  reset(): void {
    if (!this.socket.destroyed) this.socket.resetAndDestroy();
  }

  get isGone(): boolean {
    return this.socket.destroyed;
  }
}

/** IPv4 in an IPv6 socket's clothes is IPv4: brokers, logs and PROXY headers must not tell two spellings apart. */
export function plainAddress(address: string | undefined, port: number | undefined): Address {
  const text = address ?? '';
  return { address: text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text, port: port ?? 0 };
}
