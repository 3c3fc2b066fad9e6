import { randomBytes } from 'node:crypto';
import type { BackendConfig, LogLevel, SendProxyConfig, ServerConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { BrokerTls } from '../tls/dial_tls.ts';
import { createProbe, disproves, type ProbeMeans } from './probe.ts';
import { type Checking, type PassiveEvent, type ServerHealth, ServerWatch } from './server_watch.ts';
import { type ServersLeft, transitionLines } from './transition_log.ts';

/** A server's verdict or suspicion has changed; `health` is what holds now. */
export interface HealthChange {
  readonly backend: string;
  readonly server: string;
  readonly verdictChanged: boolean;
  readonly suspectChanged: boolean;
  readonly health: ServerHealth;
}

export interface HealthMonitorOptions {
  readonly backends: readonly BackendConfig[];
  /** `global.name`; becomes part of the client id of MQTT checks. */
  readonly proxyName: string;
  /** A server's literal address as last looked up; null: its name does not resolve. Asked before every check. */
  address(backend: string, server: string): string | null;
  /** The PROXY header that says LOCAL. */
  encodeLocalHeader(config: SendProxyConfig): Buffer;
  /** TLS towards a server; null: it is plain. Asked before every check. */
  tls(backend: string, server: string): BrokerTls | null;
  onChange(change: HealthChange): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Health of all servers. One process of a proxy has one; it starts it once and stops it once. */
export interface HealthMonitor {
  start(): void;
  /** Ends when every check has let go of its socket; nothing is told any more. */
  stop(): Promise<void>;
  /** What a client met on a server. Unknown servers are passed over: word of a worker may outlive a server. */
  passive(backend: string, server: string, kind: PassiveEvent): void;
  /** A check at once, unless one is running. */
  checkNow(backend: string, server: string): void;
  /** To be called when `address` answers differently. */
  addressChanged(backend: string, server: string): void;
  /** Fails with UNKNOWN_SERVER. */
  state(backend: string, server: string): ServerHealth;
}

const NOT_MADE_LOG_GAP_MS = 60_000;

/** Makes the watch of every server of every backend. Nothing is asked before start(). */
export function createHealthMonitor(options: HealthMonitorOptions): HealthMonitor {
  const watches = new Map<string, ServerWatch>();
  const clientIds = clientIdsOf(options.proxyName);
  const notMade = notMadeLog(options.log);

  function watch(backend: BackendConfig, server: ServerConfig): ServerWatch {
    return new ServerWatch({
      checking: checkingOf(server, clientIds, {
        encodeLocalHeader: header => options.encodeLocalHeader(header),
        tls: () => options.tls(backend.name, server.name),
      }),
      hostName: server.host,
      address: () => options.address(backend.name, server.name),
      notMade: code => notMade(backend.name, server.name, code),
      changed(health, what) {
        if (what.verdict) logTransition(backend, server.name, health);
        const changed = { verdictChanged: what.verdict, suspectChanged: what.suspect };
        options.onChange({ backend: backend.name, server: server.name, ...changed, health });
      },
    });
  }

  function logTransition(backend: BackendConfig, server: string, health: ServerHealth): void {
    const left = serversLeft(backend, name => watches.get(keyOf(backend.name, name))?.health().verdict === 'up');
    for (const line of transitionLines(backend.name, server, health.verdict, health.reason, left)) {
      options.log(line.level, line.message, { backend: backend.name, server });
    }
  }

  for (const backend of options.backends) {
    for (const server of backend.servers) watches.set(keyOf(backend.name, server.name), watch(backend, server));
  }

  return {
    start() {
      for (const each of watches.values()) each.start();
    },
    async stop() {
      await Promise.all([...watches.values()].map(each => each.stop()));
    },
    passive: (backend, server, kind) => watches.get(keyOf(backend, server))?.passive(kind),
    checkNow: (backend, server) => watches.get(keyOf(backend, server))?.checkNow(),
    addressChanged: (backend, server) => watches.get(keyOf(backend, server))?.addressChanged(),
    state(backend, server) {
      const found = watches.get(keyOf(backend, server));
      if (found !== undefined) return found.health();
      throw new LimpetError(
        'UNKNOWN_SERVER',
        `there is no server ${backend}/${server}`,
        'Name a backend and a server of the configuration.',
      );
    },
  };
}

function keyOf(backend: string, server: string): string {
  return `${backend}/${server}`;
}

function checkingOf(server: ServerConfig, nextClientId: () => string, means: ProbeMeans): Checking | null {
  const config = server.check;
  if (config === null) return null;
  const probe = createProbe(server, config, nextClientId(), means);
  return { config, probe, disproves: disproves(server, config) };
}

/**
 * One id a server and process: `limpet-check-lb1-3f9a01-7`. The random part keeps two proxies apart that bear one name,
 * and a proxy from its own predecessor at a reload. The name is cut and cleaned, for some brokers are strict about ids.
 */
function clientIdsOf(proxyName: string): () => string {
  const prefix = `limpet-check-${proxyName.slice(0, 32).replace(/[^\w.-]/g, '_')}-${randomBytes(3).toString('hex')}`;
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count}`;
  };
}

function serversLeft(backend: BackendConfig, isUp: (server: string) => boolean): ServersLeft {
  const up = backend.servers.filter(server => isUp(server.name));
  const backups = up.filter(server => server.backup).length;
  return {
    active: up.length - backups,
    backup: backups,
    hasBackups: backend.servers.some(server => server.backup),
  };
}

/** Logs that a check could not be made, once a minute: this host's trouble hits every check at once. */
function notMadeLog(log: HealthMonitorOptions['log']): (backend: string, server: string, code: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (backend, server, code) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < NOT_MADE_LOG_GAP_MS) return;
    lastMs = nowMs;
    const message = `health check of ${backend}/${server} not made: ${code} on this host; the verdict stays as it was`;
    log('warn', message, { backend, server, code });
  };
}
