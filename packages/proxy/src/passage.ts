import { AttemptTally } from './account/attempt_tally.ts';
import type { Lane } from './account/lane.ts';
import { type Progress, sessionFacts } from './account/live_facts.ts';
import type { SessionFacts } from './account/session_facts.ts';
import type { Cargo } from './cargo.ts';
import { type Connecting, Connector } from './dial/connector.ts';
import type { Endpoint } from './endpoint.ts';
import { Placement } from './route/placement.ts';
import { Sitting } from './sitting.ts';
import type { Choice, Inbound, Link, StopReason } from './stages.ts';
import type { Eviction, ServerFall, Serving, SessionRoute, Visit, Workshop } from './workshop.ts';

/** Why there is no broker; `left`: the client went away while one was looked for; `lost`: its first bytes did. */
export type Unlinked =
  | Exclude<Connecting, { kind: 'linked' } | { kind: 'cancelled' }>
  | { readonly kind: 'left' }
  | { readonly kind: 'lost' };

/** `seated`: it has a broker, and its sitting sees to the rest. `stopped`: it is closed, and nobody has to be told. */
export type Passed = 'seated' | 'stopped' | Unlinked;

type LinkedNow = Extract<Connecting, { kind: 'linked' }>;

/** From a chosen backend to a broker: place, dial, link. Every session goes through one. */
export class Passage implements Serving {
  readonly #visit: Visit;
  readonly #inbound: Inbound;
  readonly #route: SessionRoute;
  readonly #shop: Workshop;
  readonly #cargo: Cargo;
  readonly #placement: Placement;
  readonly #connector: Connector;
  #hasLeft = false;
  /** Where it is being dialled. */
  #server: string | null = null;
  #retries = -1;

  constructor(visit: Visit, inbound: Inbound, route: SessionRoute, shop: Workshop, cargo: Cargo) {
    this.#visit = visit;
    this.#inbound = inbound;
    this.#route = route;
    this.#shop = shop;
    this.#cargo = cargo;
    this.#placement = new Placement(route, inbound.id, cargo.stickValue(null), inbound.source.address);
    const { view, seen, tls } = route;
    this.#connector = new Connector(inbound, view.config, shop, {
      next: mayMove => this.#placement.next(mayMove),
      seen,
      tls,
      count: new AttemptTally(shop.tally, view.config.name, cargo.connect?.version ?? null),
      trying: server => this.#trying(server),
      script: server => cargo.script(server),
    });
  }

  stop(_reason: StopReason): void {
    this.#connector.cancel();
  }

  serverFell(_why: ServerFall): void {
    this.#connector.skip();
  }

  evict(_eviction: Eviction): boolean {
    return false;
  }

  facts(): SessionFacts {
    return sessionFacts(this.#shop, this.#inbound, this.#cargo.connect, this.#progress());
  }

  #progress(): Progress {
    const { bytesIn, bytesOut } = this.#inbound.client;
    const nothing = { how: null, linkedAtMs: null, assignedClientId: null };
    const retries = Math.max(0, this.#retries);
    const backend = this.#route.view.config.name;
    return { stage: 'dial', backend, server: this.#server, retries, ...nothing, bytesIn, bytesOut };
  }

  /** Where there is no broker the client is still there, and nobody has told it, unless it was stopped. */
  async run(): Promise<Passed> {
    this.#visit.serving = this;
    const { client } = this.#inbound;
    const { first } = this.#cargo;
    // Others needed the room just now, between two stages: there is nothing to say to a broker.
    if (first.isLost) return { kind: 'lost' };
    client.attach({ bytes() {}, drained() {}, ended() {}, closed: () => this.#left() });
    const connecting = await this.#connector.run();
    const firstBytes = first.bytes.length;
    first.forget();
    if (connecting.kind === 'linked') {
      const placed = this.#sit(connecting, firstBytes);
      if (placed !== null) await placed;
      return 'seated';
    }
    this.#placement.abandoned();
    // AUTH has passed already: the client is in the middle of a stream, and must see it break.
    if (connecting.kind === 'auth_failed') client.reset();
    if (connecting.kind !== 'cancelled') return connecting;
    if (first.isLost && !this.#hasLeft) return { kind: 'lost' };
    client.reset();
    return this.#hasLeft ? { kind: 'left' } : 'stopped';
  }

  #left(): void {
    this.#hasLeft = true;
    this.#connector.cancel();
  }

  #trying(server: string | null): void {
    this.#server = server;
    if (server !== null) this.#retries += 1;
    this.#shop.registry.moved(this.#visit, this.#route.view.config.name, server);
  }

  /** `firstBytes`: how many the broker has got of the client. */
  #sit({ link, assignedClientId, isAccepted }: LinkedNow, firstBytes: number): Promise<void> | null {
    const { connect } = this.#cargo;
    const { stay } = this.#placement;
    const assigned = assignedClientId === null ? null : this.#cargo.stickValue(assignedClientId);
    const placed = isAccepted ? this.#placement.accepted(assigned) : null;
    if (!isAccepted) this.#placement.unconfirmed();
    const way = this.#arrived(link.choice);
    const client = this.#clientOf(link, way, firstBytes);
    const [visit, inbound, route] = [this.#visit, this.#inbound, this.#route];
    const from = { visit, inbound, connect, client, link, assignedClientId, route, stay, way };
    const sitting = new Sitting(this.#shop, from);
    this.#visit.serving = sitting;
    this.#shop.log.connected({ inbound, connect, link, assignedClientId });
    // Only to MQTT 5.0 a server may send DISCONNECT (3.14), and only where the broker's own bytes are seen.
    const follow = connect?.version === 5 && link.framesSent === null;
    const terms = { limits: this.#cargo.limits(link), meter: way, toClient: link.toClient, follow };
    const begin = (): void => sitting.begin(client, link.server, terms);
    // Nothing of the broker reaches the client before the stick table knows of it.
    if (placed !== null) return placed.then(begin);
    begin();
    return null;
  }

  /** It has a broker: counts it. */
  #arrived({ backend, server, how, degraded }: Choice): Lane {
    const place = this.#shop.tally.place(backend, server);
    place.count(`stick:${how}`);
    if (degraded) place.count('stick:degraded');
    const way = this.#shop.tally.way(this.#inbound, backend, server);
    way.count('sessions');
    way.session(1);
    return way;
  }

  /** A broker that speaks WebSocket gets the client's frames as they are; all others get what is inside. */
  #clientOf({ framesSent, server }: Link, way: Lane, firstBytes: number): Endpoint {
    const { websocket, client } = this.#inbound;
    if (websocket === null || framesSent === null) {
      way.in.add(firstBytes);
      websocket?.forget();
      return client;
    }
    const { endpoint, frames } = websocket.passThrough();
    way.in.add(frames.length);
    if (frames.length > framesSent) server.write(frames.subarray(framesSent));
    return endpoint;
  }
}
