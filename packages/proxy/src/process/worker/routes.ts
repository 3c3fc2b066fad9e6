import type { Config } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import { type Log, SILENT } from '../../log.ts';
import type { ServerStatus } from '../../route/scheduler.ts';
import type { ViewChange } from '../../route/view.ts';
import type { KeptTls } from '../../tls/kept.ts';
import type { StockChange } from '../../tls/stock.ts';
import type { SessionRoute } from '../../workshop.ts';
import { type BrokerStock, brokerStock, brokerTerms } from '../broker_terms.ts';
import { BackendRoute, type RouteMeans } from './backend_route.ts';
import { Retiring } from './generations.ts';
import type { PrimaryLink } from './primary_link.ts';
import { SharedTables } from './shared_tables.ts';

/** A worker's routes, one a backend, and the tables behind them. */
export class Routes {
  readonly #routes: Retiring<BackendRoute> = new Retiring(route => route.close());
  /** backend → what the primary said last, also of one that is not in use here yet. */
  readonly #statuses = new Map<string, readonly ServerStatus[]>();
  readonly #tls: BrokerStock = brokerStock(SILENT);
  readonly #shared: SharedTables | null;
  readonly #means: RouteMeans;

  constructor({ state }: Config, owner: string, link: PrimaryLink, log: Log) {
    const onBack = (): void => {
      for (const route of this.#routes.all()) void route.renewNow();
    };
    this.#shared = state.store === 'redis' ? new SharedTables(state.redis, owner, log, onBack) : null;
    const tls = (backend: string, server: string): ReturnType<SessionRoute['tls']> =>
      this.#tls.get(`${backend}/${server}`);
    this.#means = { owner, link, shared: this.#shared, tls };
  }

  /**
   * Reads what TLS towards the brokers of a configuration needs; what cannot be used now is as the primary has kept it.
   * @throws LimpetError TLS_*: nothing has changed
   */
  prepare(config: Config, kept: KeptTls['servers']): Promise<StockChange> {
    return this.#tls.prepare(brokerTerms(config), { given: new Map(kept) });
  }

  /** Goes over to a configuration, also the first one. A backend that is gone lives on for those who came before. */
  reconfigure({ backends }: Config, generation: number): void {
    for (const config of backends) {
      const known = this.#routes.get(config.name);
      known?.reconfigure(config);
      const route = known ?? new BackendRoute(config, this.#means);
      this.#routes.set(config.name, route);
      route.view.update(this.#statuses.get(config.name) ?? []);
    }
    const names = new Set(backends.map(({ name }) => name));
    this.#routes.retireOthers(names, generation);
    for (const name of this.#statuses.keys()) if (!names.has(name)) this.#statuses.delete(name);
  }

  /** Lets go of what no connection can use any more. */
  forget(oldest: number): void {
    this.#routes.forget(oldest);
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

  /** `BackendRoute.renewNow` of a backend; one that is not here has nothing to renew. */
  async renew(backend: string, key: string | null): Promise<void> {
    await this.#routes.get(backend)?.renewNow(key);
  }

  /** Takes over what the primary says of a backend's servers; answers whose sessions are to be told. */
  update(backend: string, statuses: readonly ServerStatus[]): ViewChange {
    this.#statuses.set(backend, statuses);
    return this.#routes.get(backend)?.view.update(statuses) ?? { fallen: [], maintained: [], givenUp: [] };
  }

  /** Waits for what the tables still have to write. */
  async close(): Promise<void> {
    for (const route of this.#routes.all()) route.close();
    this.#tls.close();
    await this.#shared?.close();
  }
}
