/**
 * The stages of a connection, in their order. Each one's output is the next one's input, and all are readonly:
 *
 *     listen → Inbound → preread → Hello → route → Choice → dial → Link → relay → Outcome → account
 */
import type { FrontendConfig } from './config/resolved.ts';
import type { Endpoint } from './endpoint.ts';

/** An address as a socket names it. IPv4-mapped IPv6 addresses are written as IPv4. */
export interface Address {
  readonly address: string;
  readonly port: number;
}

/** listen: an accepted client, and what is known about it before it has said a word. */
export interface Inbound {
  /** The worker's number of this session; with the worker's name it is unique (the stick entry's epoch). */
  readonly id: number;
  readonly frontend: FrontendConfig;
  /** The bind's label. */
  readonly bind: string;
  /** The name under which the bind is counted. */
  readonly bindScope: string;
  readonly client: Endpoint;
  readonly source: Address;
  readonly destination: Address;
  /** `performance.now()` at accept. */
  readonly acceptedAtMs: number;
  /** `performance.now()` when the stream of MQTT bytes was open: the same for plain TCP. */
  readonly openedAtMs: number;
  readonly tls: TlsFacts | null;
  readonly websocket: WebSocketFacts | null;
  /** The peer is an HTTP proxy whose X-Forwarded-For is believed (the bind's `websocket.trust_forwarded`). */
  readonly trustsForwarded: boolean;
}

/** What a TLS handshake told. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** OpenSSL's name. */
  readonly cipher: string;
  /** The server name that the client asked for. */
  readonly sni: string | null;
  readonly resumed: boolean;
  readonly clientCert: ClientCertFacts | null;
}

export interface ClientCertFacts {
  readonly cn: string | null;
  /** The chain leads to `client_ca`, is in its time and not revoked. */
  readonly verified: boolean;
}

/** What a WebSocket upgrade told, and how to get behind the frames. */
export interface WebSocketFacts {
  readonly path: string;
  readonly protocol: 'mqtt' | 'mqttv3.1';
  /** The request's header fields, in their order and spelling, to be replayed to a broker. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /**
   * Stops unwrapping: from now on the frames themselves pass. Answers the endpoint of the frames, and all that the client
   * has sent of them so far, to be sent to the broker first. The unwrapped endpoint is of no use afterwards.
   */
  passThrough(): { readonly endpoint: Endpoint; readonly frames: Buffer };
  /** The frames so far, without stopping anything: for each attempt at a broker. */
  frames(): Buffer;
  /** How many bytes are inside messages whose end has come; infinite where no broker wants to see frames. */
  wholeBytes(): number;
  /** `?` and what followed it in the request's target, or empty. May hold tokens: never to be logged. */
  readonly query: string;
  /** Nothing will be replayed: lets go of header fields and frames. */
  forget(): void;
}

/** What a CONNECT says, decoded and found legal. */
export interface Connect {
  /** 3 = MQTT 3.1, 4 = 3.1.1, 5 = 5.0. */
  readonly version: 3 | 4 | 5;
  /** The mosquitto bridge bit (0x80 of the level byte). */
  readonly bridge: boolean;
  /** Empty: the broker assigns one. */
  readonly clientId: string;
  readonly username: string | null;
  /** Clean Session (3.x) or Clean Start (5.0). */
  readonly clean: boolean;
  /** Seconds; 0: none. */
  readonly keepAliveS: number;
  /** MQTT 5.0 Session Expiry Interval in seconds; 0 where absent or 3.x. */
  readonly sessionExpiryS: number;
}

/** preread: a whole CONNECT. */
export interface Hello {
  readonly connect: Connect;
  /** Every byte received so far: the CONNECT, then whatever the client sent behind it. */
  readonly bytes: Buffer;
}

/** How the client came to its server: `none` where it has no stick entry. */
export type How = 'sticky' | 'new' | 'moved' | 'none';

/** route: one candidate. The next one is asked for when it fails. */
export interface Choice {
  readonly backend: string;
  readonly server: string;
  readonly how: How;
  /** The shared stick table could not be asked. */
  readonly degraded: boolean;
}

/** dial: a broker that has accepted the client. */
export interface Link {
  readonly choice: Choice;
  readonly server: Endpoint;
  /** What the broker has sent so far: the CONNACK, and what came behind it. Nothing of it has reached the client. */
  readonly toClient: Buffer;
  /** How many bytes of a WebSocket client's frames the broker has got; null where it gets plain bytes. */
  readonly framesSent: number | null;
  /** MQTT 5.0 Server Keep Alive, seconds. */
  readonly serverKeepAliveS: number | null;
  /** Servers that failed before this one. */
  readonly retries: number;
  /** Milliseconds from the start of the last attempt until connected, and until the CONNACK was whole. */
  readonly connectMs: number;
  readonly connackMs: number;
}

/**
 * Why Limpet itself ended a session. `maintenance`: an operator has put its server into maint. `drained`: it was asked to
 * go to another server. `standby`: it came to a virtual address, which another host has now.
 */
export type StopReason = 'server_down' | 'maintenance' | 'drained' | 'shutdown' | 'killed' | 'standby';

/** relay: why it ended, named after the side that was first. */
export type RelayEnd =
  | 'client_closed'
  | 'client_reset'
  | 'client_idle'
  | 'server_closed'
  | 'server_reset'
  | 'server_idle'
  | StopReason;

/** relay: what became of a session that had a broker. */
export interface Outcome {
  readonly end: RelayEnd;
  /** Bytes from the client, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}
