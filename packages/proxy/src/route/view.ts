import { rendezvous } from '@limpet/state';
import type { BackendConfig, ServerConfig } from '../config/resolved.ts';
import { homes, type ServerStatus, takesNew, takesReturning } from './scheduler.ts';

/** A server with what the primary last said of it. */
export interface KnownServer {
  readonly config: ServerConfig;
  readonly status: ServerStatus;
}

/** A server with an address to dial. */
export interface Target {
  readonly config: ServerConfig;
  readonly address: string;
}

/** Whose sessions must hear of a change. */
export interface ViewChange {
  /** Were up, and are not any more. */
  readonly fallen: readonly string[];
  /** An operator has put them into maintenance: their sessions end. They are not among the fallen. */
  readonly maintained: readonly string[];
  /** Were worth an attempt though they are down, and are not any more: whoever is being connected there goes on to another. */
  readonly givenUp: readonly string[];
}

/** A worker's view of one backend: the primary tells, workers follow. It may be a few milliseconds old. */
export class BackendView {
  #config: BackendConfig;
  #servers = new Map<string, KnownServer>();

  constructor(config: BackendConfig) {
    this.#config = config;
  }

  get config(): BackendConfig {
    return this.#config;
  }

  /** Another configuration of the same backend. Statuses are kept; servers that are gone are not usable any more. */
  reconfigure(config: BackendConfig): void {
    this.#config = config;
    const known = this.#servers;
    this.#servers = new Map();
    for (const server of config.servers) {
      const status = known.get(server.name)?.status;
      if (status !== undefined) this.#servers.set(server.name, { config: server, status });
    }
  }

  /** Takes over what the primary says. */
  update(statuses: readonly ServerStatus[]): ViewChange {
    const fallen: string[] = [];
    const maintained: string[] = [];
    const givenUp: string[] = [];
    for (const config of this.#config.servers) {
      const status = statuses.find(one => one.name === config.name);
      if (status === undefined) continue;
      const before = this.#servers.get(config.name)?.status;
      this.#servers.set(config.name, { config, status });
      if (before === undefined) continue;
      if (status.admin === 'maint' && before.admin !== 'maint') maintained.push(config.name);
      else if (before.up && !status.up) fallen.push(config.name);
      else if (before.contested && !status.contested && !status.up) givenUp.push(config.name);
    }
    return { fallen, maintained, givenUp };
  }

  /** Null: it is down, its name does not resolve, or an operator lets nobody in (`drain`, `maint`). */
  target(name: string): Target | null {
    const known = this.#servers.get(name);
    if (known === undefined || known.status.address === null || !takesReturning(known.status)) return null;
    return { config: known.config, address: known.status.address };
  }

  isSuspect(name: string): boolean {
    return this.#servers.get(name)?.status.suspect === true;
  }

  /** Servers that a returning client may go to; suspects only when there is nobody else, contested ones in any case. */
  usable(tried: ReadonlySet<string>): string[] {
    return homes(this.#open(tried)).map(({ config }) => config.name);
  }

  /**
   * The server of a key while the shared table is away: every worker of every proxy with the same configuration and the
   * same words of operators finds the same one, without asking anybody. Whoever is asked for here may be new.
   */
  agreed(key: string, tried: ReadonlySet<string>): string | null {
    const good = homes(this.#open(tried).filter(({ status }) => takesNew(status)));
    const active = good.filter(({ config }) => !config.backup);
    const tier = active.length > 0 ? active : good;
    return (
      rendezvous(
        key,
        tier.map(({ config, status }) => ({ name: config.name, weight: status.weight })),
      )[0] ?? null
    );
  }

  #open(tried: ReadonlySet<string>): KnownServer[] {
    return [...this.#servers.values()].filter(
      ({ config, status }) => takesReturning(status) && !tried.has(config.name),
    );
  }
}
