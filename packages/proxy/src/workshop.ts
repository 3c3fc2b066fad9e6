import type { Registry } from './account/registry.ts';
import type { SessionLog } from './account/session_log.ts';
import type { TimerWheel } from './clock.ts';
import type { Sight } from './dial/attempt.ts';
import type { GateAnswer } from './gate/gate_answer.ts';
import type { PrereadPool } from './preread_pool.ts';
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
  readonly log: SessionLog;
  readonly registry: Registry<LiveSession>;
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

/** A session as others see it. */
export interface LiveSession {
  readonly frontend: string;
  /** Ends it in whatever stage it is. May be called twice. */
  stop(reason: StopReason): void;
  /** The server that it is at has been marked down. */
  serverFell(): void;
}
