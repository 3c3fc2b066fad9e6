import type { Config } from '../config/resolved.ts';
import type { Sight } from '../dial/attempt.ts';
import { encodeProxyHeader } from '../dial/proxy_header.ts';
import { createHealthMonitor, type HealthMonitor } from '../health/monitor.ts';
import type { Log, LogFields } from '../log.ts';
import type { ServerStatus } from '../route/scheduler.ts';
import { type BrokerTls, createBrokerTls } from '../tls/dial_tls.ts';
import type { KeptServerTls } from '../tls/kept.ts';
import { Resolver } from './resolver.ts';

/** What is true of every server: its address, by the resolver, and its verdict, by the checks. In the primary. */
export class Servers {
  readonly #config: Config;
  readonly #log: Log;
  readonly #resolver: Resolver;
  readonly #health: HealthMonitor;
  readonly #onChange: (backend: string) => void;
  /** `backend/server` → TLS towards it. */
  readonly #tls = new Map<string, BrokerTls>();

  /** `onChange` is told of a backend whose statuses() are not what they were. */
  constructor(config: Config, log: Log, onChange: (backend: string) => void) {
    this.#config = config;
    this.#log = log;
    this.#onChange = onChange;
    const hosts = new Set(config.backends.flatMap(({ servers }) => servers.map(({ host }) => host)));
    this.#resolver = new Resolver(hosts, config.global.resolveEveryMs, (host, address, reason) =>
      this.#resolved(host, address, reason),
    );
    this.#health = createHealthMonitor({
      backends: config.backends,
      proxyName: config.global.name,
      address: (backend, server) => this.#address(backend, server),
      encodeLocalHeader: header => encodeProxyHeader(header, 'local', ''),
      tls: (backend, server) => this.#tls.get(`${backend}/${server}`) ?? null,
      onChange: change => onChange(change.backend),
      log: (level, message, fields) => log[level]('health', fields as LogFields, message),
    });
  }

  /**
   * Resolves when every name has been looked up once (or is late) and the first checks are on their way.
   * @throws LimpetError TLS_*: a file for TLS with a server that cannot be used
   */
  async start(): Promise<void> {
    await Promise.all([this.#resolver.start(), this.#readTls()]);
    this.#health.start();
  }

  async stop(): Promise<void> {
    this.#resolver.stop();
    await this.#health.stop();
    for (const tls of this.#tls.values()) tls.close();
  }

  seen(backend: string, server: string, sight: Sight): void {
    this.#health.passive(backend, server, sight);
  }

  statuses(backend: string): ServerStatus[] {
    const servers = this.#config.backends.find(({ name }) => name === backend)?.servers ?? [];
    return servers.map(({ name, host, port }) => {
      const { verdict, suspect } = this.#health.state(backend, name);
      return { name, address: this.#resolver.address(host), port, up: verdict === 'up', suspect };
    });
  }

  /** `backend/server` → the texts of its TLS, for a worker that cannot read them from disk. */
  kept(): (readonly [string, KeptServerTls])[] {
    return [...this.#tls].flatMap(([server, tls]) => {
      const kept = tls.kept();
      return kept === null ? [] : [[server, kept] as const];
    });
  }

  /** Also of servers that nobody checks: this is the process whose log tells of a file that cannot be used. */
  async #readTls(): Promise<void> {
    for (const backend of this.#config.backends) {
      for (const { name, host, tls } of backend.servers) {
        if (tls === null) continue;
        this.#tls.set(`${backend.name}/${name}`, await createBrokerTls(tls, host, this.#log));
      }
    }
  }

  #address(backend: string, server: string): string | null {
    const config = this.#config.backends.find(({ name }) => name === backend);
    const host = config?.servers.find(({ name }) => name === server)?.host;
    return host === undefined ? null : this.#resolver.address(host);
  }

  #resolved(host: string, address: string | null, reason: string | null): void {
    if (address === null) this.#log.warn('resolve', { host, reason }, `${host} does not resolve: ${reason}`);
    else this.#log.info('resolve', { host, address }, `${host} is ${address}`);
    for (const backend of this.#config.backends) {
      const affected = backend.servers.filter(server => server.host === host);
      for (const server of affected) this.#health.addressChanged(backend.name, server.name);
      if (affected.length > 0) this.#onChange(backend.name);
    }
  }
}
