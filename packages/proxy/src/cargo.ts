import type { ServerConfig } from './config/resolved.ts';
import { type DialScript, mqttScript, tcpScript } from './dial/script.ts';
import { webSocketScript } from './dial/websocket_script.ts';
import type { FirstBytes } from './first_bytes.ts';
import { idleLimits } from './relay/idle.ts';
import type { RelayLimits } from './relay/relay.ts';
import { verifiedCn } from './route/stick_key.ts';
import type { Connect, Inbound, Link } from './stages.ts';
import type { SessionRoute } from './workshop.ts';

/** What a kind of session brings to its passage. */
export interface Cargo {
  /** Null in mode tcp. */
  readonly connect: Connect | null;
  /** Let go of when they are with a broker, or of no use any more, for a session may last for months. */
  readonly first: FirstBytes;
  /** What it is stuck on; `assignedClientId` comes with the broker's answer (5.0). */
  stickValue(assignedClientId: string | null): string | null;
  script(server: ServerConfig): DialScript;
  limits(link: Link): RelayLimits;
}

/** A CONNECT, and what came behind it. */
export class MqttCargo implements Cargo {
  readonly connect: Connect;
  readonly first: FirstBytes;
  readonly #inbound: Inbound;
  readonly #route: SessionRoute;

  constructor(inbound: Inbound, connect: Connect, first: FirstBytes, route: SessionRoute) {
    this.connect = connect;
    this.first = first;
    this.#inbound = inbound;
    this.#route = route;
  }

  stickValue(assigned: string | null): string | null {
    const { source, tls } = this.#inbound;
    const connect = assigned === null ? this.connect : { ...this.connect, clientId: assigned };
    return this.#route.stickValue(connect, { sourceAddress: source.address, certCn: verifiedCn(tls) });
  }

  script(server: ServerConfig): DialScript {
    const { websocket } = this.#inbound;
    const { version } = this.connect;
    if (websocket === null || server.websocket === null) return mqttScript(this.first.bytes, version);
    return webSocketScript(this.#inbound, websocket, server.websocket.path, version);
  }

  limits({ serverKeepAliveS }: Link): RelayLimits {
    const { clientMs } = this.#inbound.frontend;
    const { serverMs } = this.#route.view.config;
    return idleLimits(this.connect.keepAliveS, serverKeepAliveS, { clientMs, serverMs });
  }
}

/** Of mode tcp: what was read of a ClientHello, or nothing. */
export class TcpCargo implements Cargo {
  readonly connect = null;
  readonly first: FirstBytes;
  readonly #inbound: Inbound;
  readonly #route: SessionRoute;

  constructor(inbound: Inbound, first: FirstBytes, route: SessionRoute) {
    this.first = first;
    this.#inbound = inbound;
    this.#route = route;
  }

  stickValue(): string | null {
    const { source, tls } = this.#inbound;
    return this.#route.stickValue(null, { sourceAddress: source.address, certCn: verifiedCn(tls) });
  }

  script(): DialScript {
    return tcpScript(this.first.bytes);
  }

  limits(): RelayLimits {
    return { clientIdleMs: this.#inbound.frontend.clientMs, serverIdleMs: this.#route.view.config.serverMs };
  }
}
