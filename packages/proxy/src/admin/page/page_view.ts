/**
 * What the page is told at every refresh (`snapshot` events): the Snapshot, reduced to what it shows at once. Plain data
 * without imports, for the browser's own code is checked against it. Times are `Date.now()`, durations milliseconds.
 */
export interface PageView {
  readonly atMs: number;
  /** `user` sees no buttons and no client. */
  readonly level: 'user' | 'operator' | 'admin';
  readonly proxy: ProxyView;
  /** All that share the state, this one first. */
  readonly proxies: readonly PeerView[];
  readonly frontends: readonly FrontendView[];
  readonly backends: readonly BackendView[];
  readonly workers: readonly WorkerView[];
  readonly tasks: readonly TaskView[];
}

/** Sessions now and at most, new ones a second now and at most, and sums since the start. */
export interface ScopeView {
  readonly sessions: number;
  readonly sessionsMax: number;
  readonly rate: number;
  readonly rateMax: number;
  /** Sessions that had a broker. */
  readonly total: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface ProxyView extends ScopeView {
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly role: 'active' | 'standby';
  /** Null: it has not changed since the start. */
  readonly roleSinceMs: number | null;
  readonly stopping: boolean;
  /** The process that this one has replaced, and the sessions that it still holds; null: there is none (any more). */
  readonly predecessorPid: number | null;
  readonly predecessorSessions: number | null;
  /** Of an upgrade under way: the process that takes over. */
  readonly successorPid: number | null;
  readonly store: 'memory' | 'redis';
  readonly storeReachable: boolean;
  readonly maxconn: number;
  readonly queued: number;
  readonly connects: number;
  readonly refused: number;
  readonly workersReady: number;
  readonly workers: number;
  readonly lastReload: { readonly atMs: number; readonly ok: boolean; readonly summary: string } | null;
}

export interface PeerView {
  readonly name: string;
  readonly self: boolean;
  readonly version: string;
  readonly role: 'active' | 'standby';
  /** Null: not known. */
  readonly ready: boolean | null;
  readonly vip: readonly string[];
  readonly startedAtMs: number;
  /** `silent`: it has said nothing for more than 3 seconds. */
  readonly state: 'alive' | 'silent';
  readonly beatAgeMs: number;
  readonly conns: number | null;
}

export interface FrontendView extends ScopeView {
  readonly name: string;
  readonly mode: 'mqtt' | 'tcp';
  readonly state: 'open' | 'disabled';
  /** Backends: the default one first. */
  readonly leadsTo: readonly string[];
  readonly maxconn: number | null;
  readonly connRate: number | null;
  readonly connections: number;
  readonly connects: number;
  readonly refused: number;
  readonly binds: readonly BindView[];
}

export interface BindView extends ScopeView {
  /** Unique within the frontend: two binds may be written alike. */
  readonly key: string;
  readonly label: string;
  /** `127.0.0.1:1883`, brackets around IPv6. */
  readonly listens: string;
  readonly tls: boolean;
  readonly websocket: boolean;
}

export interface BackendView extends ScopeView {
  readonly name: string;
  readonly mode: 'mqtt' | 'tcp';
  readonly balance: string;
  /** Servers that new clients may go to now. */
  readonly usable: number;
  readonly retries: number;
  readonly reroutes: number;
  readonly failed: number;
  readonly refused: number;
  readonly latency: LatencyView;
  readonly stick: {
    readonly field: string;
    readonly size: number;
    readonly expireMs: number;
    /** The table is in Redis: `used` is what this proxy has seen of it lately. */
    readonly shared: boolean;
    readonly used: number;
  } | null;
  readonly servers: readonly ServerView[];
}

/** Estimates from the histograms since the start; null: nothing was measured. */
export interface LatencyView {
  readonly connectP50: number | null;
  readonly connackP50: number | null;
  readonly connackP99: number | null;
}

/** How good or bad a state is, whatever its word: the page's colour and sign. */
export type Tone = 'up' | 'warn' | 'down' | 'drain' | 'maint' | 'none';

export interface ServerView extends ScopeView {
  readonly name: string;
  /** As configured, and where that is now; null: it does not resolve. */
  readonly host: string;
  readonly address: string | null;
  readonly port: number;
  /** `UP`, `DOWN`, `DRAIN`, … */
  readonly word: string;
  readonly tone: Tone;
  readonly admin: 'ready' | 'drain' | 'drain_new' | 'maint';
  readonly reason: string;
  readonly sinceMs: number;
  readonly downtimeMs: number;
  /** `L7OK`, with the code where there is one: `L7STS/503`. Null: not checked yet, or never. */
  readonly check: {
    readonly word: string;
    readonly durationMs: number;
    readonly atMs: number;
    readonly info: string;
  } | null;
  readonly checksEnabled: boolean;
  readonly checks: number;
  readonly checksFailed: number;
  readonly downs: number;
  readonly weight: number;
  readonly weightConfigured: number;
  readonly backup: boolean;
  readonly maxconn: number | null;
  /** Sessions counted to it, those being dialled too. */
  readonly conns: number;
  /** Of the backend's sessions, 0 to 1; and what its weight would give it: null where it gets no new clients. */
  readonly share: number;
  readonly fairShare: number | null;
  readonly sticky: number;
  readonly fresh: number;
  readonly moved: number;
  readonly failed: number;
  readonly refused: number;
  readonly latency: LatencyView;
  readonly dynamic: boolean;
}

export interface WorkerView extends ScopeView {
  readonly name: string;
  readonly pid: number;
  readonly state: 'starting' | 'ready' | 'draining';
  readonly startedAtMs: number;
}

export interface TaskView {
  readonly id: number;
  readonly kind: 'drain' | 'rebalance';
  readonly backend: string;
  readonly server: string | null;
  readonly state: 'running' | 'paused' | 'done' | 'cancelled';
  readonly rate: number;
  readonly total: number;
  readonly moved: number;
  readonly left: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}
