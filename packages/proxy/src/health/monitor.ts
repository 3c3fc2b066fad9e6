import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
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
  /** A check has been made. */
  onCheck?(backend: string, server: string, ok: boolean): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A server under watch, and what it was made from. */
interface Watched {
  readonly watch: ServerWatch;
  server: ServerConfig;
  /** An operator's two ways to end the checks: `disable health`, and maint. */
  isOff: boolean;
  inMaint: boolean;
}

const NOT_MADE_LOG_GAP_MS = 60_000;

/** Makes the watch of every server of every backend. Nothing is asked before start(). */
export function createHealthMonitor(options: HealthMonitorOptions): HealthMonitor {
  return new HealthMonitor(options);
}

/** Health of all servers. One process of a proxy has one; it starts it once and stops it once. */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  /** backend → server → its watch. */
  readonly #watches = new Map<string, Map<string, Watched>>();
  #backends: ReadonlyMap<string, BackendConfig> = new Map();
  readonly #nextClientId: () => string;
  readonly #notMade: (backend: string, server: string, code: string) => void;
  readonly #ending = new Set<Promise<void>>();
  #running = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    this.#nextClientId = clientIdsOf(options.proxyName);
    this.#notMade = notMadeLog(options.log);
    this.reconfigure(options.backends);
  }

  start(): void {
    this.#running = true;
    for (const { watch } of this.#all()) watch.start();
  }

  /** Ends when every check has let go of its socket; nothing is told any more. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all([...this.#all().map(({ watch }) => watch.stop()), ...this.#ending]);
  }

  /**
   * Goes over to other backends. A server of the same name and address goes on as it was: verdict, streak, circuit and
   * timers; with other checks it keeps its verdict. New servers are checked at once, those that are gone no more.
   */
  reconfigure(backends: readonly BackendConfig[]): void {
    this.#backends = new Map(backends.map(backend => [backend.name, backend]));
    for (const [backend, watches] of this.#watches) this.#dropGone(backend, watches);
    const turns: (() => void)[] = [];
    for (const backend of backends) {
      const watches = this.#watches.get(backend.name) ?? new Map<string, Watched>();
      this.#watches.set(backend.name, watches);
      for (const server of backend.servers) {
        const known = watches.get(server.name);
        const watched = known ?? { watch: this.#watch(backend.name, server), server, isOff: false, inMaint: false };
        watches.set(server.name, watched);
        if (known !== undefined) turns.push(() => this.#goOn(backend.name, known, server));
        else if (this.#running) turns.push(() => watched.watch.start());
      }
    }
    // Behind all of it: whoever is told of a change at once may ask for any server of the configuration.
    for (const turn of turns) turn();
  }

  /** What a client met on a server. Unknown servers are passed over: word of a worker may outlive a server. */
  passive(backend: string, server: string, kind: PassiveEvent): void {
    this.#find(backend, server)?.watch.passive(kind);
  }

  /** A check at once, unless one is running. */
  checkNow(backend: string, server: string): void {
    this.#find(backend, server)?.watch.checkNow();
  }

  /** To be called when `address` answers differently. */
  addressChanged(backend: string, server: string): void {
    this.#find(backend, server)?.watch.addressChanged();
  }

  /** An operator's `enable|disable health`. While checks are off, the verdict stays. Unknown servers are passed over. */
  setEnabled(backend: string, server: string, on: boolean): void {
    const found = this.#find(backend, server);
    if (found === undefined) return;
    found.isOff = !on;
    found.watch.setEnabled(on && !found.inMaint);
  }

  /** A server in maint is not checked. Unknown servers are passed over. */
  setMaint(backend: string, server: string, inMaint: boolean): void {
    const found = this.#find(backend, server);
    if (found === undefined) return;
    found.inMaint = inMaint;
    found.watch.setEnabled(!found.isOff && !inMaint);
  }

  /** An operator's `set server … health`: holds until checks say otherwise. Unknown servers are passed over. */
  force(backend: string, server: string, verdict: 'up' | 'down'): void {
    this.#find(backend, server)?.watch.force(verdict);
  }

  /** Fails with UNKNOWN_SERVER. */
  state(backend: string, server: string): ServerHealth {
    const found = this.#find(backend, server);
    if (found !== undefined) return found.watch.health();
    throw new LimpetError(
      'UNKNOWN_SERVER',
      `there is no server ${backend}/${server}`,
      'Name a backend and a server of the configuration.',
    );
  }

  #find(backend: string, server: string): Watched | undefined {
    return this.#watches.get(backend)?.get(server);
  }

  #all(): Watched[] {
    return [...this.#watches.values()].flatMap(watches => [...watches.values()]);
  }

  #dropGone(backend: string, watches: Map<string, Watched>): void {
    const servers = this.#backends.get(backend)?.servers ?? [];
    for (const [name, { watch }] of watches) {
      if (servers.some(server => server.name === name)) continue;
      watches.delete(name);
      const ending = watch.stop();
      this.#ending.add(ending);
      void ending.finally(() => this.#ending.delete(ending));
    }
    if (watches.size === 0 && !this.#backends.has(backend)) this.#watches.delete(backend);
  }

  #goOn(backend: string, known: Watched, server: ServerConfig): void {
    const before = known.server;
    known.server = server;
    if (!isDeepStrictEqual(checkTerms(before), checkTerms(server))) {
      known.watch.reconfigure({ checking: this.#checking(backend, server), hostName: server.host });
    }
    if (before.host !== server.host || before.port !== server.port) known.watch.addressChanged();
  }

  #watch(backend: string, server: ServerConfig): ServerWatch {
    const { name } = server;
    return new ServerWatch({
      checking: this.#checking(backend, server),
      hostName: server.host,
      address: () => this.#options.address(backend, name),
      checked: ok => this.#options.onCheck?.(backend, name, ok),
      notMade: code => this.#notMade(backend, name, code),
      changed: (health, what) => {
        if (what.verdict) this.#logTransition(backend, name, health);
        const changed = { verdictChanged: what.verdict, suspectChanged: what.suspect };
        this.#options.onChange({ backend, server: name, ...changed, health });
      },
    });
  }

  #checking(backend: string, server: ServerConfig): Checking | null {
    const config = server.check;
    if (config === null) return null;
    const means: ProbeMeans = {
      encodeLocalHeader: header => this.#options.encodeLocalHeader(header),
      tls: () => this.#options.tls(backend, server.name),
    };
    const probe = createProbe(server, config, this.#nextClientId(), means);
    return { config, probe, disproves: disproves(server, config) };
  }

  #logTransition(name: string, server: string, health: ServerHealth): void {
    const backend = this.#backends.get(name);
    if (backend === undefined) return;
    const left = serversLeft(backend, other => this.#find(name, other)?.watch.health().verdict === 'up');
    for (const line of transitionLines(name, server, health.verdict, health.reason, left)) {
      this.#options.log(line.level, line.message, { backend: name, server });
    }
  }
}

/** What a check is made of. Weight, maxconn and the like are none of it. */
function checkTerms({ host, port, source, check, sendProxy, tls, websocket }: ServerConfig): unknown {
  return { host, port, source, check, sendProxy, tls, websocket };
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
