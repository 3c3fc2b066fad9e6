import { remoteTable, type StickTable } from '@limpet/state';
import type { BackendConfig, Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { type Log, SILENT } from '../log.ts';
import { Pins } from '../route/pins.ts';
import type { ServerStatus } from '../route/scheduler.ts';
import { compileStickValue } from '../route/stick_key.ts';
import { BackendView } from '../route/view.ts';
import { type BrokerTls, createBrokerTls } from '../tls/dial_tls.ts';
import type { KeptTls } from '../tls/kept.ts';
import type { SessionRoute } from '../workshop.ts';
import type { PrimaryLink } from './primary_link.ts';
import { Renewal } from './renewal.ts';
import { SharedTables } from './shared_tables.ts';

/** A worker's routes, one a backend, and the tables behind them. */
export class Routes {
  readonly #routes = new Map<string, SessionRoute>();
  readonly #renewals: Renewal[] = [];
  readonly #backends: readonly BackendConfig[];
  /** `backend/server` → TLS towards it. */
  readonly #tls = new Map<string, BrokerTls>();
  readonly #shared: SharedTables | null;

  constructor(config: Config, owner: string, link: PrimaryLink, log: Log) {
    const { state } = config;
    this.#backends = config.backends;
    const onBack = (): void => {
      for (const renewal of this.#renewals) void renewal.now();
    };
    this.#shared = state.store === 'redis' ? new SharedTables(state.redis, owner, log, onBack) : null;
    for (const backend of config.backends) this.#routes.set(backend.name, this.#make(backend, owner, link));
  }

  /**
   * Reads what TLS towards the brokers needs; what cannot be used now is as the primary has kept it. To be called before
   * the first session.
   * @throws LimpetError TLS_*
   */
  async start(kept: KeptTls['servers']): Promise<void> {
    const texts = new Map(kept);
    for (const backend of this.#backends) {
      for (const { name, host, tls } of backend.servers) {
        const server = `${backend.name}/${name}`;
        if (tls !== null) this.#tls.set(server, await createBrokerTls(tls, host, SILENT, texts.get(server) ?? null));
      }
    }
  }

  of(backend: string): SessionRoute {
    const route = this.#routes.get(backend);
    if (route !== undefined) return route;
    throw new LimpetError(
      'NO_BACKEND',
      `no backend ${backend}`,
      'this is a bug of Limpet: a configuration is checked before it runs',
    );
  }

  /** Takes over what the primary says of a backend's servers; answers who has fallen. */
  update(backend: string, statuses: readonly ServerStatus[]): string[] {
    return this.#routes.get(backend)?.view.update(statuses) ?? [];
  }

  /** Waits for what the tables still have to write. */
  async close(): Promise<void> {
    for (const renewal of this.#renewals) renewal.stop();
    for (const tls of this.#tls.values()) tls.close();
    await this.#shared?.close();
  }

  #make(backend: BackendConfig, owner: string, link: PrimaryLink): SessionRoute {
    const view = new BackendView(backend);
    const pins = new Pins();
    return {
      view,
      desk: link,
      table: this.#table(backend, pins, link),
      shared: this.#shared !== null,
      pins,
      owner,
      stickValue: backend.stick === null ? () => null : compileStickValue(backend.stick),
      tls: server => this.#tls.get(`${backend.name}/${server}`) ?? null,
      // Good news is news only of a server that is under suspicion; it would be a message a connection otherwise.
      seen: (server, sight) => {
        if (sight !== 'accepted' || view.isSuspect(server)) link.say(['seen', backend.name, server, sight]);
      },
    };
  }

  #table(backend: BackendConfig, pins: Pins, link: PrimaryLink): StickTable | null {
    const { stick } = backend;
    if (stick === null) return null;
    const local = remoteTable(link.table(backend.name));
    const table = this.#shared?.open(backend, stick, local) ?? local;
    this.#renewals.push(new Renewal(table, pins, stick));
    return table;
  }
}
