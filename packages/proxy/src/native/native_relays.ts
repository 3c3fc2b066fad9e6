import type { Endpoint } from '../endpoint.ts';
import type { RelayOwner, Relays, RelayTerms, RunningRelay } from '../relay/relays.ts';
import type { Engine } from './engine.ts';
import { Meters } from './meters.ts';
import { NativeLink, SourcedLink } from './native_link.ts';
import { NativeStream } from './native_stream.ts';

/** For link(): what its bits mean. */
const FOLLOW = 1;
const KEEP_ALIVE = 2;
const NO_LIMIT = -1;
/** What link() answers where one of the two is gone, or no further link can be. */
const NO_LINK = -1;

/** Relays by the native engine where both sides are its own, else in TypeScript. */
export class NativeRelays implements Relays {
  readonly #engine: Engine;
  readonly #node: Relays;
  readonly #meters: Meters;

  constructor(engine: Engine, node: Relays) {
    this.#engine = engine;
    this.#node = node;
    this.#meters = new Meters(engine);
  }

  start(client: Endpoint, server: Endpoint, terms: RelayTerms, owner: RelayOwner): RunningRelay {
    if (!(client instanceof NativeStream && server instanceof NativeStream)) {
      return this.#node.start(client, server, terms, owner);
    }
    // What was read and put back goes before everything that the kernel has.
    const fromClient = client.takeEarly();
    if (fromClient !== null) {
      server.write(fromClient);
      terms.meter.in.add(fromClient.length);
    }
    // One that is gone already is the other relay's: it tells who was first.
    return this.#link(client, server, terms, owner) ?? this.#node.start(client, server, terms, owner);
  }

  /** Brings what has passed to the meters that relays were begun with. */
  settle(): void {
    this.#meters.settle();
  }

  #link(client: NativeStream, server: NativeStream, terms: RelayTerms, owner: RelayOwner): NativeLink | null {
    if (client.isGone || server.isGone) return null;
    const { limits, toClient, follow, meter } = terms;
    const counted = this.#meters.of(meter);
    const id = this.#engine.native.link(
      client.id,
      server.id,
      toClient,
      limits.clientIdleMs ?? NO_LIMIT,
      limits.serverIdleMs ?? NO_LIMIT,
      (follow ? FOLLOW : 0) | (limits.clientIdleMs === null ? KEEP_ALIVE : 0),
      counted.id,
    );
    if (id === NO_LINK) {
      counted.links -= 1;
      return null;
    }
    client.linked();
    const onOver = server.linked();
    return onOver === null
      ? new NativeLink(this.#engine, id, owner, counted, client.skipped)
      : new SourcedLink(onOver, this.#engine, id, owner, counted, client.skipped);
  }
}
