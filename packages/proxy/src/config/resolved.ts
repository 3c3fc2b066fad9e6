/**
 * The configuration as the rest of the program sees it: every value present, typed, in base units (ms, bytes), every
 * reference checked. It is plain data, so that it can be sent to the workers and compared with its successor.
 * `schema.ts` says how it is written in YAML, and `resolve.ts` makes the one from the other.
 */
export interface Config {
  /** The files it was read from, absolute. */
  readonly files: readonly string[];
  readonly global: GlobalConfig;
  readonly state: StateConfig;
  readonly frontends: readonly FrontendConfig[];
  readonly backends: readonly BackendConfig[];
}

export interface GlobalConfig {
  /** This proxy's name in the shared state. Default: the host's. */
  readonly name: string;
  /** Number of worker processes, at least 1. `auto` is one per CPU this process may use. */
  readonly workers: number;
  /** Client connections of all workers together; at the limit, accepting pauses and the kernel's backlog fills. */
  readonly maxconn: number;
  /** How long sessions may go on after SIGTERM. Default 30 s. */
  readonly hardStopAfterMs: number;
  /** What all unfinished CONNECTs of all workers may hold together. Default 64 MiB. */
  readonly prereadMemoryBytes: number;
  /** How often host names of servers are looked up again. Default 10 s. */
  readonly resolveEveryMs: number;
  readonly log: LogConfig;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export interface LogConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty' | 'tcplog';
  /** Whether user names are logged. Default false. */
  readonly usernames: boolean;
}

export type StateConfig = { readonly store: 'memory' } | { readonly store: 'redis'; readonly redis: RedisConfig };
export interface RedisConfig {
  /** redis://, rediss:// or unix://; may hold a password: never logged as it is. */
  readonly url: string;
  readonly prefix: string;
  /** Deadline of one call. Default 100 ms. */
  readonly timeoutMs: number;
}

export interface FrontendConfig {
  readonly name: string;
  readonly binds: readonly BindConfig[];
  readonly defaultBackend: string;
  readonly maxConnectSizeBytes: number;
  /** From accept to the whole CONNECT. */
  readonly inspectMs: number;
  /** Upper limit of a client's silence where its keep-alive is 0; null: none. */
  readonly clientMs: number | null;
}

export interface BindConfig {
  /** As written: `*:1883`. */
  readonly label: string;
  /** `0.0.0.0` for `*`. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export type Algorithm = 'roundrobin' | 'leastconn' | 'source' | 'random' | 'hash' | 'first';

export interface BackendConfig {
  readonly name: string;
  readonly balance: Algorithm;
  /** Null: `stick: false`. */
  readonly stick: StickConfig | null;
  /** How many further servers an attempt may go to. */
  readonly retries: number;
  readonly connectMs: number;
  readonly connackMs: number;
  /** Upper limit of a broker's silence where the client's keep-alive is 0; null: none. */
  readonly serverMs: number | null;
  readonly onMarkedDown: 'shutdown_sessions' | 'keep';
  readonly servers: readonly ServerConfig[];
}

export type StickField = 'client_id' | 'username' | 'source';
export interface StickConfig {
  readonly field: StickField;
  /** Source of a regular expression whose first group is the key; null: the whole field. */
  readonly match: string | null;
  /** Entries of the memory table. */
  readonly size: number;
  readonly expireMs: number;
  /** False: clients whose session ends with their connection are not stuck. */
  readonly cleanSessions: boolean;
}

export interface ServerConfig {
  readonly name: string;
  /** Host name or literal address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** 0 to 256; 0: no new clients, sticky ones still. */
  readonly weight: number;
  readonly backup: boolean;
  /** Connections; null: no limit. */
  readonly maxconn: number | null;
  /** Time from recovery to full weight; 0: at once. */
  readonly slowstartMs: number;
  readonly sendProxy: SendProxyConfig | null;
  readonly check: CheckConfig | null;
}

export type ProxyTlv = 'unique_id';
export interface SendProxyConfig {
  readonly version: 1 | 2;
  /** Only version 2. */
  readonly tlvs: readonly ProxyTlv[];
}

/** Times of a health check, HAProxy's words. */
export interface CheckConfig {
  readonly probe: ProbeConfig;
  readonly interMs: number;
  /** While a server is between UP and DOWN. */
  readonly fastinterMs: number;
  /** While it is DOWN. */
  readonly downinterMs: number;
  readonly rise: number;
  readonly fall: number;
  readonly timeoutMs: number;
  /** Null: the server's own port. */
  readonly port: number | null;
}

export type ProbeConfig =
  | { readonly type: 'mqtt'; readonly username: string | null; readonly password: string | null }
  | { readonly type: 'tcp' }
  | {
      readonly type: 'http';
      readonly method: string;
      readonly path: string;
      readonly host: string | null;
      /** Status codes that mean alive. */
      readonly expect: readonly number[];
    };
