import type { RedisTarget } from '@limpet/state';

/**
 * The configuration as the rest of the program sees it: every value present, typed, in base units (ms, bytes), every
 * reference checked. It is plain data, so that it can be sent to the workers and compared with its successor.
 * `schema.ts` says how it is written in YAML, and `resolve.ts` makes the one from the other.
 */
export interface Config {
  /** The file or folder that was named, absolute: what a reload reads again. */
  readonly path: string;
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
  /** `auto`: native where its addon is there. `native`: that, or no start. Default `auto`. */
  readonly relay: 'auto' | 'native' | 'node';
  /** The CPUs of each worker, in turn; null: as the system likes. */
  readonly cpuMap: readonly (readonly number[])[] | null;
  /** Client connections of all workers together; at the limit, accepting pauses and the kernel's backlog fills. */
  readonly maxconn: number;
  /** How long sessions may go on after SIGTERM. Default 30 s. */
  readonly hardStopAfterMs: number;
  /** What all unfinished CONNECTs of all workers may hold together. Default 64 MiB. */
  readonly prereadMemoryBytes: number;
  /** How often host names of servers are looked up again. Default 10 s. */
  readonly resolveEveryMs: number;
  readonly log: LogConfig;
  readonly tls: GlobalTlsConfig;
  readonly runtimeApi: readonly RuntimeApiConfig[];
  readonly stats: StatsConfig | null;
  /** Null: this proxy is not one of a pair, and always active. */
  readonly vip: VipConfig | null;
}

/** This proxy is one of a pair behind virtual addresses, which keepalived or `limpet vip` moves. */
export interface VipConfig {
  /** Literal, without a prefix length. */
  readonly addresses: readonly string[];
  /** Absolute. Limpet writes `0` (ready) or `1` there, and whoever moves the addresses watches it. */
  readonly trackFile: string;
  /** Absolute. A FIFO in which whoever moves the addresses says MASTER, BACKUP or FAULT. */
  readonly notifyFifo: string;
  /** The pace of all CONNECTs together after this proxy has become active; null: none. */
  readonly connectRate: PaceConfig | null;
  /** For so long. */
  readonly paceForMs: number;
}

/** What an admin face lets its caller do. */
export type AdminLevel = 'user' | 'operator' | 'admin';

/** A socket on which HAProxy's commands are understood. */
export interface RuntimeApiConfig {
  /** As written. */
  readonly label: string;
  readonly listen:
    | {
        readonly kind: 'unix';
        /** Absolute. */
        readonly path: string;
        /** Permission bits. Default 0o600. */
        readonly mode: number;
        /** Names or numbers; null: as the process. */
        readonly user: string | number | null;
        readonly group: string | number | null;
      }
    /** Loopback only. */
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number };
  /** Default: admin for a unix socket, operator for a port. */
  readonly level: AdminLevel;
  /** An idle connection is closed after this. Default 10 s (HAProxy's `stats timeout`). */
  readonly timeoutMs: number;
}

/** The HTTP side: page, CSV, metrics, JSON. */
export interface StatsConfig {
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** `/stats`: where the page is. */
  readonly uri: string;
  /** How often the page's numbers are sent. Default 10 s in the design, at least 1 s. */
  readonly refreshMs: number;
  /** Null: HTTP. */
  readonly tls: TlsBindConfig | null;
  /** Empty: everybody who reaches it may look, and nobody may act; only on loopback. */
  readonly users: readonly StatsUser[];
  /** Names, beside localhost and literal addresses, under which it may be asked (Host header; against DNS rebinding). */
  readonly hosts: readonly string[];
}

export interface StatsUser {
  readonly name: string;
  /** `$scrypt$ln=15,r=8,p=1$SALT$HASH`, base64 without padding: what `limpet password` prints. Never logged. */
  readonly password: string;
  readonly level: AdminLevel;
}

/** What all TLS binds share. */
export interface GlobalTlsConfig {
  /** Encrypts the session ticket keys in Redis (`store: redis`); null: they are not shared with other proxies. */
  readonly ticketSecret: string | null;
  /** How often a new ticket key is made. Default 12 h; a ticket can be used for two such periods. */
  readonly ticketRotateMs: number;
  /** TLS handshakes under way at once, in each worker. Default 64. */
  readonly maxHandshakes: number;
  /** Connections that wait for a handshake, in each worker; beyond, they are closed. Default 10,000. */
  readonly handshakeQueue: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export interface LogConfig {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty' | 'tcplog';
  /** Whether user names are logged. Default false. */
  readonly usernames: boolean;
  readonly target: LogTarget;
  /** Above so many lines a second of one event (each process for itself) only one in `keep` is written; null: all are. */
  readonly sample: { readonly above: number; readonly keep: number } | null;
}

export type LogTarget =
  | { readonly kind: 'stdout' }
  /** Opened for appending, reopened at SIGUSR1. Absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** RFC 5424. */
  | {
      readonly kind: 'syslog';
      readonly transport:
        | { readonly kind: 'unix'; readonly path: string }
        | { readonly kind: 'udp' | 'tcp'; readonly host: string; readonly port: number };
      /** `daemon`, `local0`, … */
      readonly facility: string;
      /** APP-NAME. Default `limpet`. */
      readonly tag: string;
    };

export type StateConfig = { readonly store: 'memory' } | { readonly store: 'redis'; readonly redis: RedisConfig };
export interface RedisConfig {
  /** Which server, sentinels or cluster. May hold passwords: never logged as it is. */
  readonly target: RedisTarget;
  readonly prefix: string;
  /** Deadline of one call. Default 100 ms. */
  readonly timeoutMs: number;
}

export type Mode = 'mqtt' | 'tcp';

export interface FrontendConfig {
  readonly name: string;
  readonly mode: Mode;
  readonly binds: readonly BindConfig[];
  readonly defaultBackend: string;
  /** First match wins, else `defaultBackend`. Only `mode: mqtt`. */
  readonly routes: readonly RouteConfig[];
  /** By the ClientHello's server name, which is passed on untouched. Only `mode: tcp` without TLS on its binds. */
  readonly sniRoutes: readonly SniRouteConfig[];
  /** CIDRs; when there are any, everybody else is refused. */
  readonly allow: readonly string[];
  /** CIDRs that are refused, before `allow` is looked at. */
  readonly deny: readonly string[];
  /** Connections of this frontend, all workers together; null: no limit of its own. */
  readonly maxconn: number | null;
  /** New connections a second, all workers together; beyond, they wait in the kernel's backlog. Null: no limit. */
  readonly connRate: number | null;
  /** Limits of one source address (IPv6: one /64). */
  readonly perSource: SourceLimits;
  readonly connectRate: PaceConfig | null;
  /** Deadline of the TLS handshake, of the WebSocket upgrade, and of the PROXY header. Default 10 s. */
  readonly handshakeMs: number;
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
  /** CIDRs of peers that must send a PROXY header. From others none is accepted. */
  readonly acceptProxy: readonly string[];
  readonly tls: TlsBindConfig | null;
  readonly websocket: WebSocketBindConfig | null;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** TLS on a bind. Paths are absolute. */
export interface TlsBindConfig {
  /** PEM files (certificate, chain and perhaps key in one) or folders of such files; the first is the default. */
  readonly certs: readonly string[];
  /** The key of `certs[0]`, where it is not in the same file. */
  readonly key: string | null;
  readonly clientCa: string | null;
  readonly verify: 'none' | 'optional' | 'required';
  readonly crl: string | null;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's cipher list (TLS 1.2 names and TLS 1.3 suites); null: Node's default. */
  readonly ciphers: string | null;
  /** `X25519:P-256`; null: Node's default. */
  readonly curves: string | null;
  readonly alpn: readonly string[];
  /** A client that names an unknown host, or none, is refused. */
  readonly strictSni: boolean;
}

export interface WebSocketBindConfig {
  /** Paths that are served; others get 404. */
  readonly paths: readonly string[];
  /** Origins of pages that are served (`https://example.com`); null: all. Clients that name none are served. */
  readonly origins: readonly string[] | null;
  /** CIDRs of HTTP proxies in front, whose X-Forwarded-For and -Proto are passed on to brokers with `websocket`. */
  readonly trustForwarded: readonly string[];
  /** Silence of a WebSocket after which Limpet pings it, where it unwraps frames itself; a second one ends it. */
  readonly idleMs: number;
}

/** Limits of one source address; null: none. */
export interface SourceLimits {
  readonly maxconn: number | null;
  /** Connections a second. */
  readonly connRate: number | null;
  /** CONNECTs a second. */
  readonly connectRate: number | null;
}

/** CONNECTs are let through at this pace; those that cannot go yet wait, first come, first served. */
export interface PaceConfig {
  /** CONNECTs a second, all workers together. */
  readonly limit: number;
  /** How many may wait. */
  readonly queue: number;
  /** How long one may wait. */
  readonly queueTimeoutMs: number;
}

/** What a rule looks at. */
export type RouteField = 'client_id' | 'username' | 'sni' | 'source' | 'version' | 'path' | 'cert_cn';

/** All conditions of a rule must hold. */
export interface RouteConfig {
  readonly when: readonly RouteCondition[];
  readonly action: { readonly backend: string } | { readonly refuse: RefuseWord };
}

/** A field's value is one of `exact`, begins with one of `prefixes`, matches one of `patterns`, or lies in a CIDR. */
export interface RouteCondition {
  readonly field: RouteField;
  readonly exact: readonly string[];
  readonly prefixes: readonly string[];
  /** Sources of regular expressions that take linear time (config/pattern.ts). */
  readonly patterns: readonly string[];
  /** Only `source`. */
  readonly cidrs: readonly string[];
}

/** 3.x and 5.0 codes: 0x05/0x87, 0x05/0x8A, 0x03/0x88, 0x03/0x89, 0x03/0x97, and 0x02/0x85. */
export type RefuseWord = 'not_authorized' | 'banned' | 'server_unavailable' | 'busy' | 'quota' | 'identifier_rejected';

export interface SniRouteConfig {
  /** `dash.example.com`, or `*.example.com` for any one label. Lower case. */
  readonly host: string;
  readonly backend: string;
}

export type Algorithm = 'roundrobin' | 'leastconn' | 'source' | 'random' | 'hash' | 'first';

export interface BackendConfig {
  readonly name: string;
  /** As the frontends that lead to it. */
  readonly mode: Mode;
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
  readonly connectRate: PaceConfig | null;
  readonly servers: readonly ServerConfig[];
}

export type StickField = 'client_id' | 'username' | 'source' | 'cert_cn';
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
  /** Connections; null: no limit. With a shared state: of all proxies together. */
  readonly maxconn: number | null;
  /** Literal addresses of this host that connections to the server begin at, in turn; empty: the kernel chooses. */
  readonly source: readonly string[];
  /** Time from recovery to full weight; 0: at once. */
  readonly slowstartMs: number;
  readonly sendProxy: SendProxyConfig | null;
  readonly check: CheckConfig | null;
  /** TLS towards the broker; its checks use it too, on the server's own port. */
  readonly tls: TlsServerConfig | null;
  /** The broker's listener speaks MQTT over WebSocket: a WebSocket client's own upgrade is replayed to it. */
  readonly websocket: { readonly path: string } | null;
}

/** TLS towards a broker. Paths are absolute. */
export interface TlsServerConfig {
  readonly verify: 'none' | 'required';
  /** Null: the system's. */
  readonly ca: string | null;
  /** The name that is asked for and verified; null: the server's host name, none for an address. */
  readonly sni: string | null;
  /** Our own certificate. */
  readonly cert: string | null;
  readonly key: string | null;
}

export type ProxyTlv = 'unique_id' | 'ssl' | 'cn';
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
