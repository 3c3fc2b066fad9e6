import type { Socket } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import type { Address } from '../stages.ts';

/** A connection as it was accepted: nothing has been read of it, and nobody else has it. Whoever holds it closes it. */
export interface Accepted {
  /** The peer of the TCP connection; null: it has gone before anybody looked. */
  readonly source: Address | null;
  /** The address of this host that it came to. */
  readonly destination: Address;
  /** The socket, for TLS; null: it is the engine's, and only an endpoint can be made of it. */
  readonly socket: Socket | null;
  /** As an endpoint, paused. Once. `skipped`: bytes that were read of it before and are not to be counted. */
  open(skipped: number): Endpoint;
  /** RST, or nothing where it is closed already. */
  reset(): void;
  readonly isGone: boolean;
}
