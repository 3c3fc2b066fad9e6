import type { Registered, Registry } from './account/registry.ts';
import type { ConnectError, SessionFacts } from './account/session_facts.ts';
import type { SessionLog } from './account/session_log.ts';
import type { Tally } from './account/tally.ts';
import type { TimerWheel } from './clock.ts';
import type { Sight } from './dial/attempt.ts';
import type { DepartureBoard } from './dial/departures.ts';
import type { GateAnswer } from './gate/gate_answer.ts';
import type { Engine } from './native/engine.ts';
import type { PrereadPool } from './preread_pool.ts';
import type { Relays } from './relay/relays.ts';
import type { Route } from './route/placement.ts';
import type { RouteDecision, RouteFacts } from './route/rules.ts';
import type { StickValue } from './route/stick_key.ts';
import type { Inbound, StopReason } from './stages.ts';
import type { BrokerTls } from './tls/dial_tls.ts';

/** What a worker lends to its sessions. */
export interface Workshop {
  /** The worker's name: `lb1/2`. */
  readonly name: string;
  readonly wheel: TimerWheel;
  readonly pool: PrereadPool;
  /** From where connections begin, where a server has `source`. */
  readonly departures: DepartureBoard;
  /** Opens plain TCP to brokers; null: Node does. */
  readonly engine: Engine | null;
  readonly relays: Relays;
  readonly log: SessionLog;
  readonly registry: Registry<LiveSession>;
  readonly tally: Tally;
  /** Whether user names may be shown (`log.usernames`). */
  readonly usernames: boolean;
  /** A malformed CONNECT, for operators to look at. */
  badConnect(error: ConnectError): void;
  /** The rules of a frontend. */
  decide(frontend: string, facts: RouteFacts): RouteDecision;
  routeOf(backend: string): SessionRoute;
  /** This process has no descriptors left. */
  starved(code: string): void;
  /** Waits until the CONNECT may go to that backend; null: nothing limits it. */
  pace(inbound: Inbound, backend: string): Promise<GateAnswer> | null;
  /** It waits no more: its place in the queue is free. */
  leavePace(inbound: Inbound): void;
}

/** The route to a client's backend. */
export interface SessionRoute extends Route {
  /** What a client is stuck on; null: nothing. */
  readonly stickValue: StickValue;
  /** Tells the primary what was seen of a server. */
  seen(server: string, sight: Sight): void;
  /** TLS towards a server; null where its configuration wants none. */
  tls(server: string): BrokerTls | null;
}

/** How a session is asked to leave its server. */
export interface Eviction {
  /** What an MQTT 5.0 client is told: 0x9C (use another server) or 0x98 (administrative action). */
  readonly reason: number;
  /** Its key is let go of, so that it finds another server: where its own one goes on serving. */
  readonly forget: boolean;
}

/** What became of a server: `given_up` matters only to those who are being connected there. */
export type ServerFall = 'server_down' | 'maintenance' | 'given_up';

/** What serves a connection at the moment: orders reach it through its visit. */
export interface Serving {
  /** As an operator sees it, at this moment. */
  facts(): SessionFacts;
  /** Ends it in whatever stage it is. May be called twice. */
  stop(reason: StopReason): void;
  /** The server that it is at is none any more. Maintenance ends it whatever `on_marked_down` says. */
  serverFell(why: ServerFall): void;
  /** Asks it to leave its server; over within seconds. False: it has none yet, was asked already, or ends anyway. */
  evict(eviction: Eviction): boolean;
}

/** A session as others see it. */
export interface LiveSession extends Serving, Registered<LiveSession> {
  /** The address of this host that its connection came to, whatever a PROXY header says. */
  readonly localAddress: string;
}

/** A connection from its accept to its end: the same object in every stage. */
export interface Visit extends LiveSession {
  /** `Inbound.id`. */
  readonly id: number;
  /** Whoever serves it now. */
  serving: Serving;
  /** Everything is closed. Called once. */
  over(): void;
}
