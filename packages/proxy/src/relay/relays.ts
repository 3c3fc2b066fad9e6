import type { Endpoint } from '../endpoint.ts';
import type { RelayEnd, StopReason } from '../stages.ts';
import type { RelayLimits, RelayMeter } from './relay.ts';

/** What a relay is told at its beginning. */
export interface RelayTerms {
  readonly limits: RelayLimits;
  /** Counts what passes, `toClient` too. */
  readonly meter: RelayMeter;
  /** What was read of the broker already: it goes to the client first. */
  readonly toClient: Buffer;
  /** The broker's packets are followed, from the first byte of `toClient` on, so that the client can be told something between them. */
  readonly follow: boolean;
}

/** Whoever waits for the end of a relay. An object, for a function of its own would cost each idle session 100 bytes. */
export interface RelayOwner {
  /** Both sides are closed. `bytesIn`: from the client, `bytesOut`: to it, since it was accepted. */
  relayEnded(end: RelayEnd, bytesIn: number, bytesOut: number): void;
}

/** A session's bytes on their way, until both sides are closed. */
export interface RunningRelay {
  /** Ends both sides: what is written is still sent. At `standby` both are reset. May be called twice. */
  stop(reason: StopReason): void;
  /** Asks the client to leave: with these words between two packets of the broker, or without. False: it ends already. */
  evict(words: Buffer | null): boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Moves bytes between two endpoints, natively where both allow it. */
export interface Relays {
  /** Takes over both endpoints, which are paused, and closes both. `owner` is told once, never before this returns. */
  start(client: Endpoint, server: Endpoint, terms: RelayTerms, owner: RelayOwner): RunningRelay;
}
