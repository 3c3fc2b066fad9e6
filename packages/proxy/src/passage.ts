import type { Linked, Refused } from './account/session_log.ts';
import type { TimerWheel } from './clock.ts';
import type { ServerConfig } from './config/resolved.ts';
import { type Connecting, Connector } from './dial/connector.ts';
import type { DialScript } from './dial/script.ts';
import { turnAway } from './dial/turn_away.ts';
import { closeSoon, type Endpoint, NOBODY } from './endpoint.ts';
import type { FirstBytes } from './first_bytes.ts';
import { refuse } from './preread/refusal.ts';
import { Relay, type RelayLimits } from './relay/relay.ts';
import { Placement } from './route/placement.ts';
import type { Connect, Inbound, Link, StopReason } from './stages.ts';
import type { LiveSession, SessionRoute, Workshop } from './workshop.ts';

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

/** What stop() and serverFell() mean in the stage that is running. */
export type Stage = Pick<LiveSession, 'stop' | 'serverFell'>;
export const IDLE: Stage = { stop() {}, serverFell() {} };

/** From a chosen backend to the end: place, dial, relay. Every session goes through one. */
export class Passage {
  readonly #session: LiveSession;
  readonly #inbound: Inbound;
  readonly #route: SessionRoute;
  readonly #shop: Workshop;
  #stage: Stage = IDLE;
  #hasLeft = false;

  constructor(session: LiveSession, inbound: Inbound, route: SessionRoute, shop: Workshop) {
    this.#session = session;
    this.#inbound = inbound;
    this.#route = route;
    this.#shop = shop;
  }

  stop(reason: StopReason): void {
    this.#stage.stop(reason);
  }

  serverFell(): void {
    this.#stage.serverFell();
  }

  /** Null: it went through, and everything is closed. Else the client is still there, and nobody has told it. */
  async run(cargo: Cargo): Promise<Unlinked | null> {
    const { id, source, client } = this.#inbound;
    const placement = new Placement(this.#route, id, cargo.stickValue(null), source.address);
    const connecting = await this.#connect(cargo, placement);
    cargo.first.forget();
    if (connecting.kind === 'linked') {
      const { link, assignedClientId, isAccepted } = connecting;
      const assigned = assignedClientId === null ? null : cargo.stickValue(assignedClientId);
      await this.#relay(
        { inbound: this.#inbound, connect: cargo.connect, link, assignedClientId },
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
      trying: server => this.#shop.registry.moved(this.#session, view.config.name, server),
      script: server => cargo.script(server),
    });
    this.#stage = { stop: () => connector.cancel(), serverFell: () => connector.skip() };
    const left = (): void => {
      this.#hasLeft = true;
      connector.cancel();
    };
    this.#inbound.client.attach({ ...NOBODY, closed: left });
    return await connector.run();
  }

  /** `placed`: the stick table knows of it; nothing of the broker reaches the client before. */
  async #relay(linked: Linked, cargo: Cargo, placed: Promise<void>): Promise<void> {
    const { link } = linked;
    const client = this.#clientOf(link);
    const relay = new Relay(client, link.server, cargo.limits(link), this.#shop.wheel);
    const keeps = this.#route.view.config.onMarkedDown === 'keep';
    const serverFell = keeps ? IDLE.serverFell : () => relay.stop('server_down');
    this.#stage = { stop: reason => relay.stop(reason), serverFell };
    this.#shop.log.connected(linked);
    await placed;
    const end = await relay.run(link.toClient);
    this.#stage = IDLE;
    this.#shop.log.ended(linked, { end, bytesIn: client.bytesIn, bytesOut: client.bytesOut });
  }

  /** A broker that speaks WebSocket gets the client's frames as they are; all others get what is inside. */
  #clientOf({ framesSent, server }: Link): Endpoint {
    const { websocket, client } = this.#inbound;
    if (websocket === null) return client;
    if (framesSent === null) {
      websocket.forget();
      return client;
    }
    const { endpoint, frames } = websocket.passThrough();
    if (frames.length > framesSent) server.write(frames.subarray(framesSent));
    return endpoint;
  }
}

/** Tells a client why it is turned away, where it may be told, and closes. */
export function sayFarewell(client: Endpoint, answer: Buffer | null, wheel: TimerWheel): void {
  if (answer !== null) client.write(answer);
  closeSoon(client, wheel);
}

/** What is logged of a client that was turned away, and what it is told. */
export function refusalOf(unlinked: Unlinked, version: Connect['version']): Refused {
  if (unlinked.kind === 'lost') {
    const detail = 'global.preread_memory is used up';
    return { reason: 'preread_memory', detail, answer: refuse(version, 'busy'), server: null, retries: 0 };
  }
  if (unlinked.kind !== 'left') return turnAway(version, unlinked, refuse);
  return { reason: 'client_left', detail: 'before its CONNACK', answer: null, server: null, retries: 0 };
}
