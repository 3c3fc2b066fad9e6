import type { Config } from '@limpet/proxy';

/** What this host has to bear, by the configuration. */
export interface Load {
  /** Client connections of all workers together. */
  readonly maxconn: number;
  readonly workers: number;
  readonly brokers: readonly BrokerLoad[];
  /** Ports that Limpet listens on. */
  readonly ports: readonly number[];
  /** Entries of all stick tables together. */
  readonly entries: number;
  /** One of its binds at least speaks TLS. */
  readonly hasTls: boolean;
}

/** The connections that one broker may get. */
export interface BrokerLoad {
  /** `emqx/emqx1`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** All brokers of its backend take their equal parts of `maxconn`. */
  readonly sessions: number;
  /** One of them is down. Of one that is alone: the same. */
  readonly oneDown: number;
  /** Addresses of this host that it is connected from; 0: the kernel chooses one. */
  readonly sources: number;
}

/** Without a configuration: what Limpet takes where nothing is written. */
export function standardLoad(cpus: number): Load {
  return { maxconn: 100_000, workers: cpus, brokers: [], ports: [], entries: 0, hasTls: false };
}

export function loadOf({ global, frontends, backends }: Config): Load {
  const { maxconn, workers } = global;
  const binds = frontends.flatMap(frontend => frontend.binds);
  const ports = binds.map(({ port }) => port).filter(port => port !== 0);
  return {
    ...{ maxconn, workers },
    brokers: backends.flatMap(backend => brokersOf(backend, maxconn)),
    ports: [...new Set(ports)],
    entries: backends.reduce((sum, { stick }) => sum + (stick?.size ?? 0), 0),
    hasTls: binds.some(({ tls }) => tls !== null),
  };
}

/** Backups stand in for the others: each may get what one of them has. */
function brokersOf({ name, servers }: Config['backends'][number], maxconn: number): BrokerLoad[] {
  const regular = servers.filter(({ backup }) => !backup).length || servers.length;
  return servers.map(server => {
    const most = server.maxconn ?? Number.POSITIVE_INFINITY;
    return {
      name: `${name}/${server.name}`,
      ...{ host: server.host, port: server.port },
      sessions: Math.min(most, Math.ceil(maxconn / regular)),
      oneDown: Math.min(most, Math.ceil(maxconn / Math.max(1, regular - 1))),
      sources: server.source.length,
    };
  });
}
