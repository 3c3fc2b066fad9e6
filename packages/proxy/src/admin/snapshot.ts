/**
 * The truth at one moment, as every face shows it (P12): runtime API, page, CSV, Prometheus, JSON and the CLI are all pure
 * functions of a Snapshot. Made in the primary; plain data. Names and texts are as configured, never a client's.
 */
import type { AdminState } from '@limpet/state';
import type { Histogram, ScopeFacts } from '../account/counters.ts';
import type { CheckStatus } from '../health/check_status.ts';

export interface Snapshot {
  /** `Date.now()`. */
  readonly atMs: number;
  readonly info: ProxyFacts;
  readonly frontends: readonly FrontendFacts[];
  readonly backends: readonly BackendFacts[];
  readonly workers: readonly WorkerFacts[];
  /** Drains and rebalances that run, are paused, or ended in the last hour. */
  readonly tasks: readonly TaskFacts[];
  /** All proxies that share the state, this one first, then by name. Memory: this one. */
  readonly proxies: readonly PeerFacts[];
}

export type Role = 'active' | 'standby';

/** One proxy of those that share the state. */
export interface PeerFacts {
  readonly name: string;
  /** The one that is asked. */
  readonly self: boolean;
  readonly version: string;
  readonly role: Role;
  /** Whether it could be the active one, by the last that was heard; without a pair: whether it can serve. Null: not known. */
  readonly ready: boolean | null;
  /** The virtual addresses it is one of a pair for; empty: it has none. */
  readonly vip: readonly string[];
  /** By its own clock. */
  readonly startedAtMs: number;
  /** `silent`: it has said nothing for more than 3 seconds, and its connections count no more. */
  readonly state: 'alive' | 'silent';
  /** Since it was last heard of, by the clock of Redis. */
  readonly beatAgeMs: number;
  /** Connections to servers; null: not known (any more). */
  readonly conns: number | null;
}

export type { ScopeFacts } from '../account/counters.ts';

export interface ProxyFacts extends ScopeFacts {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** Configured; `workers` of the snapshot says who runs. */
  readonly workers: number;
  readonly maxconn: number;
  readonly store: 'memory' | 'redis';
  /** Redis: whether it is there. Always true for memory. */
  readonly storeReachable: boolean;
  readonly role: Role;
  /** When the role last changed; null: it has not since the start. */
  readonly roleSinceMs: number | null;
  readonly stopping: boolean;
  /** Which relay moves bytes, and why. */
  readonly relay: string;
  readonly configPath: string;
  readonly reloads: number;
  readonly lastReload: { readonly atMs: number; readonly ok: boolean; readonly summary: string } | null;
  /** After SIGUSR2: this process is being replaced by `successorPid`, or has replaced `predecessorPid`. */
  readonly upgrade: {
    readonly predecessorPid: number | null;
    /** Sessions that are still in that process, which tells them once a second; null: there is none (any more). */
    readonly predecessorSessions: number | null;
    readonly successorPid: number | null;
    /** The last one that failed: this process goes on. */
    readonly failure: { readonly atMs: number; readonly reason: string } | null;
  };
  /** Open descriptors allowed to each process. */
  readonly ulimitN: number;
  /** CONNECTs and connections that wait for their turn (connect_rate, conn_rate). */
  readonly queued: number;
  /** The longest delay of the primary's event loop in the last 30 to 60 seconds. */
  readonly loopDelayMaxMs: number;
}

export interface FrontendFacts extends ScopeFacts {
  readonly name: string;
  readonly mode: 'mqtt' | 'tcp';
  /** `disabled` by an operator: its binds are released. */
  readonly state: 'open' | 'disabled';
  readonly defaultBackend: string;
  /** All that it may lead to: the default one first, then those of its routes, each once. */
  readonly backends: readonly string[];
  readonly maxconn: number | null;
  readonly connRate: number | null;
  readonly binds: readonly BindFacts[];
}

export interface BindFacts extends ScopeFacts {
  readonly label: string;
  /** Where it really listens. */
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  readonly websocket: boolean;
}

export interface BackendFacts extends ScopeFacts {
  readonly name: string;
  readonly mode: 'mqtt' | 'tcp';
  readonly balance: string;
  readonly connect: Histogram;
  readonly connack: Histogram;
  readonly stick: StickFacts | null;
  readonly servers: readonly ServerFacts[];
}

export interface StickFacts {
  readonly field: string;
  readonly size: number;
  readonly expireMs: number;
  /** The table is in Redis. `size` is no limit of it then, but of what this proxy remembers of it. */
  readonly shared: boolean;
  /** Entries of the primary's table: the table itself in memory; what this proxy has seen lately of the shared one. */
  readonly used: number;
}

export interface ServerFacts extends ScopeFacts {
  readonly name: string;
  /** As configured, and as resolved; null while it does not resolve. */
  readonly host: string;
  readonly address: string | null;
  readonly port: number;
  readonly admin: AdminState;
  /** The checks' verdict, or `no_check`; an operator may have forced it (`set server … health`). */
  readonly verdict: 'up' | 'down' | 'no_check';
  readonly suspect: boolean;
  readonly reason: string;
  /** When admin state or verdict last changed. */
  readonly sinceMs: number;
  /** Milliseconds spent DOWN since the start. */
  readonly downtimeMs: number;
  readonly checksEnabled: boolean;
  readonly lastCheck: {
    readonly status: CheckStatus;
    readonly code: number | null;
    readonly durationMs: number;
    readonly atMs: number;
    readonly info: string;
  } | null;
  /** Effective and configured. */
  readonly weight: number;
  readonly weightConfigured: number;
  readonly backup: boolean;
  readonly maxconn: number | null;
  /** Sessions counted to it, those being dialled too: what leastconn and maxconn look at. */
  readonly conns: number;
  readonly connect: Histogram;
  readonly connack: Histogram;
  /** Its last verdicts and admin states, newest first, at most 20. */
  readonly history: readonly { readonly atMs: number; readonly state: string; readonly reason: string }[];
  /** Added at run time, not in the file. */
  readonly dynamic: boolean;
}

export interface WorkerFacts extends ScopeFacts {
  /** `lb1/2`. */
  readonly name: string;
  readonly pid: number;
  readonly state: 'starting' | 'ready' | 'draining';
  readonly startedAtMs: number;
  /** The longest delay of its event loop in the last 30 to 60 seconds. */
  readonly loopDelayMaxMs: number;
}

/** A paced drain or rebalance. */
export interface TaskFacts {
  readonly id: number;
  readonly kind: 'drain' | 'rebalance';
  readonly backend: string;
  /** Null: rebalance, over all servers of the backend. */
  readonly server: string | null;
  readonly state: 'running' | 'paused' | 'done' | 'cancelled';
  /** Sessions a second. */
  readonly rate: number;
  /** Sessions to move at the start, asked to leave so far, and left to move. Rate 0: nobody is asked. */
  readonly total: number;
  readonly moved: number;
  readonly left: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}
