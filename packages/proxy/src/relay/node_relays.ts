import type { TimerWheel } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import type { StopReason } from '../stages.ts';
import { PacketBoundary } from './packet_boundary.ts';
import { Relay } from './relay.ts';
import type { RelayOwner, Relays, RelayTerms, RunningRelay } from './relays.ts';

/** Relays in TypeScript: over whatever endpoints. */
export class NodeRelays implements Relays {
  readonly #wheel: TimerWheel;

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  start(client: Endpoint, server: Endpoint, terms: RelayTerms, owner: RelayOwner): RunningRelay {
    const { limits, meter, toClient, follow } = terms;
    const relay = new Relay(client, server, limits, this.#wheel, meter);
    void relay
      .run(toClient, follow ? new PacketBoundary() : null)
      .then(end => owner.relayEnded(end, client.bytesIn, client.bytesOut));
    return new NodeRelay(relay, client);
  }
}

class NodeRelay implements RunningRelay {
  readonly #relay: Relay;
  readonly #client: Endpoint;

  constructor(relay: Relay, client: Endpoint) {
    this.#relay = relay;
    this.#client = client;
  }

  stop(reason: StopReason): void {
    this.#relay.stop(reason);
  }

  evict(words: Buffer | null): boolean {
    return this.#relay.evict(words);
  }

  get bytesIn(): number {
    return this.#client.bytesIn;
  }

  get bytesOut(): number {
    return this.#client.bytesOut;
  }
}
