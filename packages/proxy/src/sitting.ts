import type { Lane } from './account/lane.ts';
import { type Progress, type Said, sessionFacts, type Who } from './account/live_facts.ts';
import type { SessionFacts } from './account/session_facts.ts';
import type { Linked } from './account/session_log.ts';
import type { FrontendConfig } from './config/resolved.ts';
import type { Endpoint } from './endpoint.ts';
import { disconnectPacket } from './relay/farewell.ts';
import type { RelayOwner, RelayTerms, RunningRelay } from './relay/relays.ts';
import type { Stay } from './route/placement.ts';
import type { Connect, How, Inbound, Link, RelayEnd, StopReason, TlsFacts } from './stages.ts';
import type { Eviction, ServerFall, Serving, SessionRoute, Visit, Workshop } from './workshop.ts';

/** What the stages before have come to. */
export interface SittingTerms {
  readonly visit: Visit;
  readonly inbound: Inbound;
  /** Null in mode tcp. */
  readonly connect: Connect | null;
  /** What its bytes pass through. */
  readonly client: Endpoint;
  readonly link: Link;
  /** The broker's Assigned Client Identifier (5.0). */
  readonly assignedClientId: string | null;
  readonly route: SessionRoute;
  readonly stay: Stay;
  /** Where it is counted. */
  readonly way: Lane;
}

/**
 * A session that has a broker, until its end. It lasts for hours and there may be a million, so it is one flat object that
 * keeps only what the end, an operator and the primary may ask for; nothing is suspended, and of the stages before it
 * nothing is left.
 */
export class Sitting implements Serving, RelayOwner {
  readonly #shop: Workshop;
  readonly #visit: Visit;
  readonly #route: SessionRoute;
  readonly #stay: Stay;
  readonly #way: Lane;
  readonly #frontend: FrontendConfig;
  readonly #bind: string;
  readonly #address: string;
  readonly #port: number;
  readonly #acceptedAtMs: number;
  readonly #linkedAtMs: number = performance.now();
  readonly #tls: TlsFacts | null;
  readonly #isWebSocket: boolean;
  /** Null in mode tcp, as all that a CONNECT says. */
  readonly #clientId: string | null;
  /** Null where nobody may see it. */
  readonly #username: string | null;
  readonly #version: Connect['version'] | null;
  readonly #isBridge: boolean;
  readonly #keepAliveS: number;
  readonly #server: string;
  readonly #how: How;
  readonly #isDegraded: boolean;
  readonly #retries: number;
  /** Whole milliseconds. */
  readonly #connectMs: number;
  /** Null after it. */
  #relay: RunningRelay | null;

  constructor(shop: Workshop, terms: SittingTerms) {
    const { visit, inbound, connect, client, link, assignedClientId, route, stay, way } = terms;
    this.#relay = new RelayToCome(client);
    this.#shop = shop;
    this.#visit = visit;
    this.#route = route;
    this.#stay = stay;
    this.#way = way;
    this.#frontend = inbound.frontend;
    this.#bind = inbound.bind;
    this.#address = inbound.source.address;
    this.#port = inbound.source.port;
    this.#acceptedAtMs = inbound.acceptedAtMs;
    this.#tls = inbound.tls;
    this.#isWebSocket = inbound.websocket !== null;
    this.#clientId = assignedClientId ?? connect?.clientId ?? null;
    this.#username = shop.usernames ? (connect?.username ?? null) : null;
    this.#version = connect?.version ?? null;
    this.#isBridge = connect?.bridge ?? false;
    this.#keepAliveS = connect?.keepAliveS ?? 0;
    this.#server = link.choice.server;
    this.#how = link.choice.how;
    this.#isDegraded = link.choice.degraded;
    this.#retries = link.retries;
    this.#connectMs = Math.round(link.connectMs);
  }

  /** Takes over both endpoints. Once. */
  begin(client: Endpoint, server: Endpoint, terms: RelayTerms): void {
    const before = this.#relay;
    this.#relay = this.#shop.relays.start(client, server, terms, this);
    if (before instanceof RelayToCome && before.stopped !== null) this.#relay.stop(before.stopped);
  }

  facts(): SessionFacts {
    return sessionFacts(this.#shop, this.#who(), this.#said(), this.#progress());
  }

  stop(reason: StopReason): void {
    this.#relay?.stop(reason);
  }

  serverFell(why: ServerFall): void {
    if (why === 'given_up') return;
    // Asked for now: a reload may have changed it since the session began.
    const keeps = this.#route.view.config.onMarkedDown === 'keep';
    if (why === 'maintenance' || !keeps) this.stop(why);
  }

  evict({ reason, forget }: Eviction): boolean {
    if (this.#relay?.evict(disconnectPacket(reason)) !== true) return false;
    this.#stay.leaving(forget);
    return true;
  }

  relayEnded(end: RelayEnd, bytesIn: number, bytesOut: number): void {
    this.#relay = null;
    this.#way.session(-1);
    this.#way.count(`end:${end}`);
    this.#shop.log.ended(this.#linked(), { end, bytesIn, bytesOut });
    this.#stay.release();
    this.#visit.over();
  }

  #progress(): Progress {
    return {
      stage: 'relay',
      backend: this.#route.view.config.name,
      server: this.#server,
      how: this.#how,
      retries: this.#retries,
      linkedAtMs: this.#linkedAtMs,
      assignedClientId: null,
      bytesIn: this.#relay?.bytesIn ?? 0,
      bytesOut: this.#relay?.bytesOut ?? 0,
    };
  }

  #linked(): Linked {
    const { name: backend } = this.#route.view.config;
    const choice = { backend, server: this.#server, how: this.#how, degraded: this.#isDegraded };
    const link = { choice, retries: this.#retries, connectMs: this.#connectMs };
    return { inbound: this.#who(), connect: this.#said(), link, assignedClientId: null };
  }

  #who(): Who {
    const source = { address: this.#address, port: this.#port };
    const [id, frontend, bind, acceptedAtMs] = [this.#visit.id, this.#frontend, this.#bind, this.#acceptedAtMs];
    return { id, frontend, bind, source, acceptedAtMs, tls: this.#tls, websocket: this.#isWebSocket };
  }

  #said(): Said | null {
    if (this.#version === null) return null;
    const [version, bridge, username, keepAliveS] = [this.#version, this.#isBridge, this.#username, this.#keepAliveS];
    return { version, bridge, clientId: this.#clientId ?? '', username, keepAliveS };
  }
}

/** What a relay may be asked before it begins. */
class RelayToCome implements RunningRelay {
  readonly bytesIn = 0;
  readonly bytesOut = 0;
  /** The relay is to end as soon as it has begun. */
  stopped: StopReason | null = null;
  readonly #client: Endpoint;

  constructor(client: Endpoint) {
    this.#client = client;
  }

  /** At `standby` the client must learn of it while this host has the address: it does not wait for a table's answer. */
  stop(reason: StopReason): void {
    this.stopped ??= reason;
    if (reason === 'standby') this.#client.reset();
  }

  evict(): boolean {
    return false;
  }
}
