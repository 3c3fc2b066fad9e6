import { rendezvous } from '@limpet/state';
import type { BackendConfig, ServerConfig } from '../config/resolved.ts';
import type { ServerStatus } from './scheduler.ts';

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

/** A worker's view of one backend: the primary tells, workers follow. It may be a few milliseconds old. */
export class BackendView {
  readonly config: BackendConfig;
  readonly #servers = new Map<string, KnownServer>();

  constructor(config: BackendConfig) {
    this.config = config;
  }

  /** Takes over what the primary says; answers the names of the servers that were up and are not any more. */
  update(statuses: readonly ServerStatus[]): string[] {
    const fallen: string[] = [];
    for (const config of this.config.servers) {
      const status = statuses.find(one => one.name === config.name);
      if (status === undefined) continue;
      if (this.#servers.get(config.name)?.status.up === true && !status.up) fallen.push(config.name);
      this.#servers.set(config.name, { config, status });
    }
    return fallen;
  }

  /** Null: it is down, or its name does not resolve. */
  target(name: string): Target | null {
    const known = this.#servers.get(name);
    if (known === undefined || known.status.address === null || !known.status.up) return null;
    return { config: known.config, address: known.status.address };
  }

  isSuspect(name: string): boolean {
    return this.#servers.get(name)?.status.suspect === true;
  }

  /** Servers that a returning client may go to, suspects only when there is nobody else. */
  usable(tried: ReadonlySet<string>): string[] {
    return trusted(this.#open(tried)).map(({ config }) => config.name);
  }

  /**
   * The server of a key while the shared table is away: every worker of every proxy with the same configuration finds
   * the same one, without asking anybody.
   */
  agreed(key: string, tried: ReadonlySet<string>): string | null {
    const good = trusted(this.#open(tried).filter(({ config }) => config.weight > 0));
    const active = good.filter(({ config }) => !config.backup);
    const tier = active.length > 0 ? active : good;
    return (
      rendezvous(
        key,
        tier.map(({ config }) => ({ name: config.name, weight: config.weight })),
      )[0] ?? null
    );
  }

  #open(tried: ReadonlySet<string>): KnownServer[] {
    return [...this.#servers.values()].filter(
      ({ config, status }) => status.up && status.address !== null && !tried.has(config.name),
    );
  }
}

function trusted(servers: readonly KnownServer[]): readonly KnownServer[] {
  const good = servers.filter(({ status }) => !status.suspect);
  return good.length > 0 ? good : servers;
}
