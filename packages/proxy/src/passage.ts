import { AttemptTally } from './account/attempt_tally.ts';
import type { Lane } from './account/lane.ts';
import type { Progress } from './account/live_facts.ts';
import type { Linked } from './account/session_log.ts';
import type { ServerConfig } from './config/resolved.ts';
import { type Connecting, Connector } from './dial/connector.ts';
import type { DialScript } from './dial/script.ts';
import { type Endpoint, NOBODY } from './endpoint.ts';
import type { FirstBytes } from './first_bytes.ts';
import { disconnectPacket } from './relay/farewell.ts';
import { PacketBoundary } from './relay/packet_boundary.ts';
import { Relay, type RelayLimits } from './relay/relay.ts';
import { Placement } from './route/placement.ts';
import type { Connect, Inbound, Link, StopReason } from './stages.ts';
import type { Eviction, LiveSession, SessionRoute, Workshop } from './workshop.ts';

/** What a kind of session brings to its passage. */
export interface Cargo {
  /** Null in mode tcp. */
  readonly connect: Connect | null;
  /** What it is stuck on; `assignedClientId` comes with the broker's answer (5.0). */
  stickValue(assignedClientId: string | null): string | null;
  script(server: ServerConfig): DialScript;
  limits(link: Link): RelayLimits;
  /** Let go of when they are with a broker, or of no use any more, for a session may last for months. */
  readonly first: FirstBytes;
}

/** Why there is no broker; `left`: the client went away while one was looked for; `lost`: its first bytes did. */
export type Unlinked =
  | Exclude<Connecting, { kind: 'linked' } | { kind: 'cancelled' }>
  | { readonly kind: 'left' }
  | { readonly kind: 'lost' };

/** What these mean in the stage that is running. */
export type Stage = Pick<LiveSession, 'stop' | 'serverFell' | 'evict'>;
export const IDLE: Stage = { stop() {}, serverFell() {}, evict: () => false };

/** From a chosen backend to the end: place, dial, relay. Every session goes through one. */
export class Passage {
  readonly #session: LiveSession;
  readonly #inbound: Inbound;
  readonly #route: SessionRoute;
  readonly #shop: Workshop;
  #stage: Stage = IDLE;
  #placement: Placement | null = null;
  #hasLeft = false;
  /** Where it is, or is being dialled. */
  #server: string | null = null;
  #retries = -1;
  #linked: Linked | null = null;
  #linkedAtMs = 0;
  /** What its bytes pass through. */
  #client: Endpoint;

  constructor(session: LiveSession, inbound: Inbound, route: SessionRoute, shop: Workshop) {
    this.#session = session;
    this.#inbound = inbound;
    this.#route = route;
    this.#shop = shop;
    this.#client = inbound.client;
  }

  stop(reason: StopReason): void {
    this.#stage.stop(reason);
  }

  serverFell(why: 'server_down' | 'maintenance'): void {
    this.#stage.serverFell(why);
  }

  evict(eviction: Eviction): boolean {
    return this.#stage.evict(eviction);
  }

  /** How far it is. */
  progress(): Progress {
    const { bytesIn, bytesOut } = this.#client;
    const linked = this.#linked;
    return {
      stage: linked === null ? 'dial' : 'relay',
      backend: this.#route.view.config.name,
      server: this.#server,
      how: linked?.link.choice.how ?? null,
      retries: Math.max(0, this.#retries),
      linkedAtMs: linked === null ? null : this.#linkedAtMs,
      assignedClientId: linked?.assignedClientId ?? null,
      ...{ bytesIn, bytesOut },
    };
  }

  /** Null: it went through, and everything is closed. Else the client is still there, and nobody has told it. */
  async run(cargo: Cargo): Promise<Unlinked | null> {
    const { id, source, client } = this.#inbound;
    const placement = new Placement(this.#route, id, cargo.stickValue(null), source.address);
    this.#placement = placement;
    const connecting = await this.#connect(cargo, placement);
    const firstBytes = cargo.first.bytes.length;
    cargo.first.forget();
    if (connecting.kind === 'linked') {
      const { link, assignedClientId, isAccepted } = connecting;
      const assigned = assignedClientId === null ? null : cargo.stickValue(assignedClientId);
      await this.#relay(
        { inbound: this.#inbound, connect: cargo.connect, link, assignedClientId },
        firstBytes,
        cargo,
        isAccepted ? placement.accepted(assigned) : placement.unconfirmed(),
      );
      placement.release();
      return null;
    }
    placement.abandoned();
    // AUTH has passed already: the client is in the middle of a stream, and must see it break.
    if (connecting.kind === 'auth_failed') client.reset();
    if (connecting.kind !== 'cancelled') return connecting;
    if (cargo.first.isLost && !this.#hasLeft) return { kind: 'lost' };
    client.reset();
    return this.#hasLeft ? { kind: 'left' } : null;
  }

  async #connect(cargo: Cargo, placement: Placement): Promise<Connecting> {
    const { view, seen, tls } = this.#route;
    const connector = new Connector(this.#inbound, view.config, this.#shop, {
      next: mayMove => placement.next(mayMove),
      seen,
      tls,
      count: new AttemptTally(this.#shop.tally, view.config.name, cargo.connect?.version ?? null),
      trying: server => this.#trying(server),
      script: server => cargo.script(server),
    });
    this.#stage = { ...IDLE, stop: () => connector.cancel(), serverFell: () => connector.skip() };
    const left = (): void => {
      this.#hasLeft = true;
      connector.cancel();
    };
    this.#inbound.client.attach({ ...NOBODY, closed: left });
    return await connector.run();
  }

  #trying(server: string | null): void {
    this.#server = server;
    if (server !== null) this.#retries += 1;
    this.#shop.registry.moved(this.#session, this.#route.view.config.name, server);
  }

  /**
   * `firstBytes`: how many the broker has got of the client. `placed`: the stick table knows of it; nothing of the broker
   * reaches the client before.
   */
  async #relay(linked: Linked, firstBytes: number, cargo: Cargo, placed: Promise<void>): Promise<void> {
    const { link } = linked;
    const way = this.#arrived(linked);
    const client = this.#clientOf(link, way, firstBytes);
    this.#client = client;
    const relay = new Relay(client, link.server, cargo.limits(link), this.#shop.wheel, way);
    // Only to MQTT 5.0 a server may send DISCONNECT (3.14), and only where the broker's own bytes are seen.
    const boundary = linked.connect?.version === 5 && link.framesSent === null ? new PacketBoundary() : null;
    this.#stage = this.#relaying(relay);
    this.#shop.log.connected(linked);
    await placed;
    const end = await relay.run(link.toClient, boundary);
    this.#stage = IDLE;
    way.session(-1);
    way.count(`end:${end}`);
    this.#shop.log.ended(linked, { end, bytesIn: client.bytesIn, bytesOut: client.bytesOut });
  }

  #relaying(relay: Relay): Stage {
    return {
      stop: reason => relay.stop(reason),
      serverFell: why => {
        if (why === 'given_up') return;
        // Asked for now: a reload may have changed it since the session began.
        const keeps = this.#route.view.config.onMarkedDown === 'keep';
        if (why === 'maintenance' || !keeps) relay.stop(why);
      },
      evict: ({ reason, forget }) => {
        if (!relay.evict(disconnectPacket(reason))) return false;
        this.#placement?.leaving(forget);
        return true;
      },
    };
  }

  /** It has a broker: counts it. */
  #arrived(linked: Linked): Lane {
    const { backend, server, how, degraded } = linked.link.choice;
    this.#linked = linked;
    this.#linkedAtMs = performance.now();
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
