import type { RelayOwner, RunningRelay } from '../relay/relays.ts';
import type { RelayEnd, StopReason } from '../stages.ts';
import { LinkEnd } from './addon.ts';
import type { Engine, EngineLink } from './engine.ts';
import type { Meter } from './meters.ts';

const FLUSH = 0;
const RESET = 1;
const NO_WORDS = Buffer.alloc(0);

/** Two streams whose bytes the engine moves. An idle session has one for months: every field counts. */
export class NativeLink implements RunningRelay, EngineLink {
  readonly id: number;
  readonly #engine: Engine;
  readonly #owner: RelayOwner;
  readonly #meter: Meter;
  /** Bytes of the client that are not counted. */
  readonly #skipped: number;
  /** Why we end it; null: we do not. */
  #reason: StopReason | null = null;

  constructor(engine: Engine, id: number, owner: RelayOwner, meter: Meter, skipped: number) {
    this.id = id;
    this.#engine = engine;
    this.#owner = owner;
    this.#meter = meter;
    this.#skipped = skipped;
    engine.links.set(this);
  }

  stop(reason: StopReason): void {
    this.#reason ??= reason;
    this.#engine.native.stopLink(this.id, reason === 'standby' ? RESET : FLUSH);
  }

  evict(words: Buffer | null): boolean {
    // What we have ordered may not have been done yet: the engine would not know that it ends.
    if (this.#reason !== null || !this.#engine.native.evictLink(this.id, words ?? NO_WORDS)) return false;
    this.#reason = 'drained';
    return true;
  }

  get bytesIn(): number {
    const { native, pair } = this.#engine;
    return native.linkCounts(this.id, pair) ? (pair[0] as number) - this.#skipped : 0;
  }

  get bytesOut(): number {
    const { native, pair } = this.#engine;
    return native.linkCounts(this.id, pair) ? (pair[1] as number) : 0;
  }

  hasEnded(end: number, bytesIn: number, bytesOut: number): void {
    this.#engine.links.delete(this);
    this.#meter.links -= 1;
    this.#owner.relayEnded(endOf(end, this.#reason), bytesIn - this.#skipped, bytesOut);
  }
}

/** A link whose end somebody else waits for, too: the port that its server's side began at is free again. */
export class SourcedLink extends NativeLink {
  readonly #onOver: () => void;

  constructor(onOver: () => void, ...rest: ConstructorParameters<typeof NativeLink>) {
    super(...rest);
    this.#onOver = onOver;
  }

  override hasEnded(end: number, bytesIn: number, bytesOut: number): void {
    this.#onOver();
    super.hasEnded(end, bytesIn, bytesOut);
  }
}

/** `reason`: ours, where the engine says that we were first. */
function endOf(end: number, reason: StopReason | null): RelayEnd {
  switch (end) {
    case LinkEnd.clientClosed:
      return 'client_closed';
    case LinkEnd.clientReset:
      return 'client_reset';
    case LinkEnd.clientIdle:
      return 'client_idle';
    case LinkEnd.serverClosed:
      return 'server_closed';
    case LinkEnd.serverReset:
      return 'server_reset';
    case LinkEnd.serverIdle:
      return 'server_idle';
    default:
      return reason ?? 'killed';
  }
}
