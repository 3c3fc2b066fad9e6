import type { Socket } from 'node:net';
import type { FrontendConfig } from '../config/resolved.ts';
import type { Address, Inbound } from '../stages.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';

/** IPv4 in an IPv6 socket's clothes is IPv4: brokers, logs and PROXY headers must not tell two spellings apart. */
export function plainAddress(address: string | undefined, port: number | undefined): Address {
  const text = address ?? '';
  return { address: text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text, port: port ?? 0 };
}

/** What is known of a client that has just been accepted. Null: it has gone already. */
export function inboundOf(socket: Socket, id: number, frontend: FrontendConfig, bind: string): Inbound | null {
  if (socket.remoteAddress === undefined) {
    socket.destroy();
    return null;
  }
  return {
    id,
    frontend,
    bind,
    client: new TcpEndpoint(socket),
    source: plainAddress(socket.remoteAddress, socket.remotePort),
    destination: plainAddress(socket.localAddress, socket.localPort),
    acceptedAtMs: performance.now(),
  };
}
