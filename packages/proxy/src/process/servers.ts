import { type AdminStore, NO_RECORD } from '@limpet/state';
import type { BackendConfig, Config, ServerConfig } from '../config/resolved.ts';
import type { Sight } from '../dial/attempt.ts';
import { encodeProxyHeader } from '../dial/proxy_header.ts';
import { createHealthMonitor, type HealthChange, type HealthMonitor } from '../health/monitor.ts';
import type { ServerHealth } from '../health/server_watch.ts';
import type { Log, LogFields } from '../log.ts';
import type { ServerStatus } from '../route/scheduler.ts';
import type { KeptServerTls } from '../tls/kept.ts';
import type { StockChange } from '../tls/stock.ts';
import { type BrokerStock, brokerStock, brokerTerms } from './broker_terms.ts';
import { Resolver } from './resolver.ts';

export interface ServersEvents {
  /** The statuses() of a backend are not what they were. */
  changed(backend: string): void;
  /** Another proxy's checks find a server well that this one's call down, and it is worth an attempt. */
  contested?(backend: string, server: string): boolean;
  /** A verdict or a suspicion is another one. */
  health?(change: HealthChange): void;
  /** A check has been made. */
  checked?(backend: string, server: string, ok: boolean): void;
}

/**
 * What is true of every server: its address, by the resolver, its verdict, by the checks, and what operators say of it. In
 * the primary.
 */
export class Servers {
  #config: Config;
  readonly #log: Log;
  readonly #admin: AdminStore;
  readonly #resolver: Resolver;
  readonly #health: HealthMonitor;
  readonly #events: ServersEvents;
  readonly #tls: BrokerStock;

  constructor(config: Config, admin: AdminStore, log: Log, events: ServersEvents) {
    this.#config = config;
    this.#log = log;
    this.#admin = admin;
    this.#events = events;
    this.#tls = brokerStock(log);
    this.#resolver = new Resolver(hostsOf(config), config.global.resolveEveryMs, (host, address, reason) =>
      this.#resolved(host, address, reason),
    );
    this.#health = createHealthMonitor({
      backends: config.backends,
      proxyName: config.global.name,
      address: (backend, server) => this.#address(backend, server),
      encodeLocalHeader: header => encodeProxyHeader(header, 'local', ''),
      tls: (backend, server) => this.#tls.get(`${backend}/${server}`),
      onChange: change => {
        events.health?.(change);
        events.changed(change.backend);
      },
      onCheck: (backend, server, ok) => events.checked?.(backend, server, ok),
      log: (level, message, fields) => log[level]('health', fields as LogFields, message),
    });
    admin.onChange(backend => this.#adminChanged(backend));
  }

  /**
   * Resolves when every name has been looked up once (or is late) and the first checks are on their way.
   * @throws LimpetError TLS_*: a file for TLS with a server that cannot be used
   */
  async start(): Promise<void> {
    const [tls] = await Promise.all([this.#tls.prepare(brokerTerms(this.#config)), this.#resolver.start()]);
    tls.commit();
    this.#takeOutOfChecks();
    this.#health.start();
  }

  async stop(): Promise<void> {
    this.#resolver.stop();
    await this.#health.stop();
    this.#tls.close();
  }

  /**
   * Reads what TLS with the servers of a configuration needs, `renew`: also what is there already; and looks new names up,
   * so that a server that changes from an address to a name is never without one.
   * @throws LimpetError TLS_*: nothing has changed
   */
  async prepare(config: Config, renew: boolean): Promise<StockChange> {
    const tls = await this.#tls.prepare(brokerTerms(config), { renew });
    const before = this.#config;
    const setHosts = (hosts: Iterable<string>): Promise<void> =>
      this.#resolver.setHosts(hosts, before.global.resolveEveryMs);
    await setHosts(new Set([...hostsOf(before), ...hostsOf(config)]));
    const abort = (): void => {
      tls.abort();
      void setHosts(hostsOf(before));
    };
    return { ...tls, abort };
  }

  /** Goes over to a configuration that has been prepared. */
  reconfigure(config: Config): void {
    this.#config = config;
    void this.#resolver.setHosts(hostsOf(config), config.global.resolveEveryMs);
    this.#health.reconfigure(config.backends);
    this.#takeOutOfChecks();
  }

  seen(backend: string, server: string, sight: Sight): void {
    this.#health.passive(backend, server, sight);
  }

  statuses(backend: string): ServerStatus[] {
    return this.#servers(backend).map(({ name, host, port, weight }) => {
      const { verdict, suspect, enabled } = this.#health.state(backend, name);
      const record = this.#admin.records(backend).get(name) ?? NO_RECORD;
      return {
        name,
        address: this.#resolver.address(host),
        port,
        up: verdict === 'up',
        // While checks are off, the verdict is not theirs.
        contested: verdict === 'down' && enabled && (this.#events.contested?.(backend, name) ?? false),
        suspect,
        admin: record.state,
        weight: record.weight ?? weight,
      };
    });
  }

  /** @throws LimpetError UNKNOWN_SERVER */
  health(backend: string, server: string): ServerHealth {
    return this.#health.state(backend, server);
  }

  /** A host's literal address; null while it does not resolve. */
  address(host: string): string | null {
    return this.#resolver.address(host);
  }

  /** An operator's `enable|disable health`. */
  setEnabled(backend: string, server: string, on: boolean): void {
    this.#health.setEnabled(backend, server, on);
  }

  /** An operator's `set server … health`. */
  force(backend: string, server: string, verdict: 'up' | 'down'): void {
    this.#health.force(backend, server, verdict);
  }

  /** `backend/server` → the texts of its TLS, for a worker that cannot read them from disk; of these servers, or of all. */
  kept(servers: ReadonlySet<string> | null = null): (readonly [string, KeptServerTls])[] {
    return this.#tls.kept(servers);
  }

  #servers(backend: string): readonly ServerConfig[] {
    return this.#config.backends.find(({ name }) => name === backend)?.servers ?? [];
  }

  #address(backend: string, server: string): string | null {
    const host = this.#servers(backend).find(({ name }) => name === server)?.host;
    return host === undefined ? null : this.#resolver.address(host);
  }

  #adminChanged(backend: string): void {
    if (!this.#config.backends.some(({ name }) => name === backend)) return;
    this.#takeOutOfChecks();
    this.#events.changed(backend);
  }

  /** Nobody asks a server that is in maint how it is. */
  #takeOutOfChecks(): void {
    for (const { name, servers } of this.#config.backends) {
      const records = this.#admin.records(name);
      for (const server of servers) {
        this.#health.setMaint(name, server.name, records.get(server.name)?.state === 'maint');
      }
    }
  }

  #resolved(host: string, address: string | null, reason: string | null): void {
    if (address === null) this.#log.warn('resolve', { host, reason }, `${host} does not resolve: ${reason}`);
    else this.#log.info('resolve', { host, address }, `${host} is ${address}`);
    for (const backend of this.#config.backends) {
      const affected = backend.servers.filter(server => server.host === host);
      for (const server of affected) this.#health.addressChanged(backend.name, server.name);
      if (affected.length > 0) this.#events.changed(backend.name);
    }
  }
}

function hostsOf({ backends }: { readonly backends: readonly BackendConfig[] }): Set<string> {
  return new Set(backends.flatMap(({ servers }) => servers.map(({ host }) => host)));
}
