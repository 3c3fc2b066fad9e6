import type { How } from '../stages.ts';

/** Where a session is on its way. */
export type SessionStage = 'preread' | 'queue' | 'dial' | 'relay';

/** One live session as an operator sees it. Plain data: it travels from the worker. Texts of clients are as they came. */
export interface SessionFacts {
  /** The worker's name: `lb1/2`; with `id` it is the stick entry's owner and epoch. */
  readonly worker: string;
  readonly id: number;
  readonly frontend: string;
  readonly bind: string;
  /** `address:port`, brackets around IPv6. */
  readonly client: string;
  /** Null before its CONNECT, and in mode tcp. The broker's Assigned Client Identifier where it got one. */
  readonly clientId: string | null;
  /** Null where `log.usernames` is off. */
  readonly username: string | null;
  readonly version: '3.1' | '3.1.1' | '5.0' | null;
  readonly tls: string | null;
  readonly websocket: boolean;
  readonly stage: SessionStage;
  readonly backend: string | null;
  readonly server: string | null;
  readonly how: How | null;
  readonly retries: number;
  /** `Date.now()` at accept, and when the broker had accepted it. */
  readonly acceptedAtMs: number;
  readonly linkedAtMs: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly keepAliveS: number | null;
}

/** Which sessions are meant: all that is given must hold. */
export interface SessionFilter {
  readonly worker?: string;
  readonly id?: number;
  readonly clientId?: string;
  readonly frontend?: string;
  readonly backend?: string;
  readonly server?: string;
  /** Literal address of the client. */
  readonly source?: string;
}

/** A malformed CONNECT that was turned away (`show errors`). Holds no password: bytes are shown only up to the client id. */
export interface ConnectError {
  readonly atMs: number;
  readonly worker: string;
  readonly session: number;
  readonly frontend: string;
  readonly bind: string;
  readonly client: string;
  readonly reason: string;
  readonly detail: string;
  /** How many bytes had come, and the first of them in hex: at most the fixed header, protocol name, level, flags, keep-alive. */
  readonly length: number;
  readonly head: string;
}
