import type { Registry } from './account/registry.ts';
import type { SessionLog } from './account/session_log.ts';
import type { TimerWheel } from './clock.ts';
import type { Sight } from './dial/attempt.ts';
import type { PrereadPool } from './preread/preread_pool.ts';
import type { Route } from './route/placement.ts';
import type { Connect, Inbound, StopReason } from './stages.ts';

/** What a worker lends to its sessions. */
export interface Workshop {
  /** The worker's name: `lb1/2`. */
  readonly name: string;
  readonly wheel: TimerWheel;
  readonly pool: PrereadPool;
  readonly log: SessionLog;
  readonly registry: Registry<LiveSession>;
  routeOf(inbound: Inbound): SessionRoute;
}

/** The route to a client's backend. */
export interface SessionRoute extends Route {
  /** What a client is stuck on; null: nothing. */
  stickValue(connect: Connect, source: string): string | null;
  /** Tells the primary what was seen of a server. */
  seen(server: string, sight: Sight): void;
}

/** A session as others see it. */
export interface LiveSession {
  readonly frontend: string;
  /** Ends it in whatever stage it is. May be called twice. */
  stop(reason: StopReason): void;
  /** The server that it is at has been marked down. */
  serverFell(): void;
}
