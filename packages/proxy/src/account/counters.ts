import type { RelayEnd } from '../stages.ts';

/**
 * The names of everything that is counted, the same for every scope (frontend, bind, backend, server, worker); each scope
 * uses those that mean something there. A family's label, behind the colon, comes from a closed set of this program's own
 * words or of the protocol's codes, never from a client's text, so the number of names is bounded.
 */
export type Counter =
  /** Accepted TCP connections. Frontend, bind, worker. */
  | 'connections'
  /** Legal CONNECTs by MQTT version. Frontend, bind. */
  | `connect:${'3.1' | '3.1.1' | '5.0'}`
  /** Clients turned away, by the reason that the log gives (`refused` lines). Frontend, bind; with a server: backend, server. */
  | `refused:${string}`
  /** Times a server was picked, first choices and retries, clients that returned to it too. Backend, server. */
  | 'picked'
  /** Sessions that got a broker. All scopes. */
  | 'sessions'
  /** CONNACKs of brokers: `3:0`, `3:5` (version family 3 = 3.1 and 3.1.1), `5:135`. Backend, server. */
  | `connack:${3 | 5}:${number}`
  /** Attempts that failed: dial, connack_timeout, closed, garbage, local. Backend, server. */
  | `failed:${'dial' | 'connack_timeout' | 'closed' | 'garbage' | 'local'}`
  /** Clients that went on to another server, counted where they came from. */
  | 'reroutes'
  /** Attempts after the first. Backend, server. */
  | 'retries'
  /** How linked clients found their server. Backend, server. */
  | 'stick:sticky'
  | 'stick:new'
  | 'stick:moved'
  | 'stick:none'
  /** Of these, decided without the shared table. */
  | 'stick:degraded'
  /** Ends of sessions that had a broker. All scopes. */
  | `end:${RelayEnd}`
  /** From clients, and to them. All scopes. Live: counted while they pass. */
  | 'bytes_in'
  | 'bytes_out'
  /** Health checks made, those that failed, and changes to DOWN. Server, backend. Counted in the primary. */
  | 'checks'
  | 'checks_failed'
  | 'downs';

export type Counts = Readonly<Partial<Record<Counter, number>>>;

/** Upper bounds of the latency buckets, milliseconds; one more bucket holds what is above. */
export const LATENCY_BOUNDS_MS: readonly number[] = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export interface Histogram {
  /** One number for each bound, and one for what is above all: not cumulative. */
  readonly buckets: readonly number[];
  readonly sumMs: number;
  readonly count: number;
}

/** Sessions and counters of one scope. */
export interface ScopeFacts {
  /** Sessions now, the most there ever were, and new ones in the last second and in the best second. */
  readonly sessions: number;
  readonly sessionsMax: number;
  readonly rate: number;
  readonly rateMax: number;
  readonly counts: Counts;
}

/** Which scope a number belongs to. `name` is `frontend`, `frontend/BIND-LABEL#N` (scope_names.ts), `backend`, `backend/server`, or ''. */
export type ScopeKind = 'frontend' | 'bind' | 'backend' | 'server' | 'worker';

/** What one worker has counted in one scope since it last said so. Short names: it travels as JSON. */
export interface TallyDelta {
  readonly k: ScopeKind;
  readonly n: string;
  /** Counter → increment. */
  readonly c?: Partial<Record<Counter, number>>;
  /** Change of `sessions now`. */
  readonly s?: number;
  /** Latencies: bucket → increment, and the sum in milliseconds. */
  readonly dial?: LatencyDelta;
  readonly connack?: LatencyDelta;
}

export type LatencyDelta = readonly [sumMs: number, ...bucketsAndCounts: (readonly [bucket: number, count: number])[]];
