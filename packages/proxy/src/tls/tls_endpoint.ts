import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Endpoint } from '../endpoint.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';

/**
 * A TLS side, for both directions: `socket` must be open and paused, `transport` is the TCP connection below it. Bytes
 * are counted as they are inside. end() sends close_notify and then FIN. A peer's close_notify is `ended`; so is a FIN
 * without one, as in HAProxy: many clients never send it, and MQTT knows by itself where a packet ends.
 */
export function tlsEndpoint(socket: TLSSocket, transport: Socket): Endpoint {
  return new TcpEndpoint(socket, transport);
}
