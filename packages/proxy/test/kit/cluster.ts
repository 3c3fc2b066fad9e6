/**
 * Several mosquittos and a Limpet before them: what is common to the tests of the whole.
 */
import { until } from './condition.ts';
import { type Limpet, type LimpetOptions, startLimpet } from './limpet.ts';
import { type BrokerConnection, type Mosquitto, startMosquitto } from './mosquitto.ts';
import type { RedisServer } from './redis.ts';

export type Store = 'memory' | 'redis';

/** Starts mosquittos named b1, b2, … */
export async function startBrokers(count: number): Promise<Brokers> {
  const started = await Promise.allSettled(Array.from({ length: count }, () => startMosquitto()));
  const running = started.flatMap(result => (result.status === 'fulfilled' ? result.value : []));
  const brokers = new Brokers(new Map(running.map((mosquitto, index) => [`b${index + 1}`, mosquitto])));
  const failure = started.find(result => result.status === 'rejected');
  if (failure === undefined) return brokers;
  await brokers[Symbol.asyncDispose]();
  throw failure.reason;
}

/** Disposing of it ends them all. */
export class Brokers implements AsyncDisposable {
  readonly #brokers: ReadonlyMap<string, Mosquitto>;

  constructor(brokers: ReadonlyMap<string, Mosquitto>) {
    this.#brokers = brokers;
  }

  get names(): string[] {
    return [...this.#brokers.keys()];
  }

  get(name: string): Mosquitto {
    const broker = this.#brokers.get(name);
    if (broker === undefined) throw new Error(`there is no broker ${name}`);
    return broker;
  }

  address(name: string): string {
    return `127.0.0.1:${this.get(name).port}`;
  }

  /** For a backend's `servers`; `more` has further keys for some of them. */
  servers(more: Readonly<Record<string, object>> = {}): Record<string, object> {
    return Object.fromEntries(this.names.map(name => [name, { address: this.address(name), ...more[name] }]));
  }

  /** Every CONNECT that a broker accepted, but those of health checks. */
  connections(name: string): BrokerConnection[] {
    return this.get(name)
      .connections()
      .filter(({ clientId }) => !clientId.startsWith('limpet-check-'));
  }

  /** Client id → the brokers that accepted it, one for each CONNECT, by their own logs. */
  homes(): Map<string, string[]> {
    const homes = new Map<string, string[]>();
    for (const name of this.names) {
      for (const { clientId } of this.connections(name)) {
        homes.set(clientId, [...(homes.get(clientId) ?? []), name]);
      }
    }
    return homes;
  }

  /** How many of these clients each broker has accepted, in the order of the names, as soon as they are all logged. */
  async shares(clientIds: readonly string[]): Promise<number[]> {
    const wanted = new Set(clientIds);
    const count = (name: string): number =>
      this.connections(name).filter(({ clientId }) => wanted.has(clientId)).length;
    return until(
      () => {
        const counts = this.names.map(count);
        return counts.reduce((sum, one) => sum + one, 0) >= clientIds.length && counts;
      },
      { what: `${clientIds.length} clients in the logs of the brokers`, seen: () => this.names.map(count).join(', ') },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#brokers.values()].map(broker => broker[Symbol.asyncDispose]()));
  }
}

export interface ClusterConfig {
  readonly workers: number;
  /** Where the stick tables are. Default: in memory. */
  readonly redis?: RedisServer | null;
  /** `state.redis.timeout`; default: the program's. */
  readonly redisTimeout?: string;
  /** One frontend of the same name is made for each. */
  readonly backends: Readonly<Record<string, object>>;
  readonly global?: object;
  readonly defaults?: object;
}

/** A Limpet with a frontend for each backend; `port(BACKEND)` is where it listens. */
export function startCluster(config: ClusterConfig, options: LimpetOptions = {}): Promise<Limpet> {
  const names = Object.keys(config.backends);
  const timeout = config.redisTimeout === undefined ? {} : { timeout: config.redisTimeout };
  const frontend = (name: string): object => ({ bind: '127.0.0.1:0', default_backend: name });
  return startLimpet(
    {
      global: { name: 'lb', workers: config.workers, hard_stop_after: '2s', ...config.global },
      state: config.redis ? { store: 'redis', redis: { url: config.redis.url, ...timeout } } : {},
      defaults: config.defaults ?? {},
      frontends: Object.fromEntries(names.map(name => [name, frontend(name)])),
      backends: config.backends,
    },
    options,
  );
}

/** What is wrong in a map of client → brokers: those that were on more than one. */
export function strays(homes: ReadonlyMap<string, readonly string[]>): string[] {
  return [...homes].flatMap(([clientId, names]) => (new Set(names).size > 1 ? `${clientId}: ${names.join(' ')}` : []));
}

/** Client id → the servers it was connected to, by the proxy's log, in its order. */
export function landings(limpet: Limpet): Map<string, string[]> {
  const landed = new Map<string, string[]>();
  for (const { client_id, server } of limpet.events(({ event }) => event === 'connect')) {
    const id = String(client_id);
    landed.set(id, [...(landed.get(id) ?? []), String(server)]);
  }
  return landed;
}

/** The same, as soon as each of these clients has at least one line: lines come up to 50 ms late. */
export function landingsOf(limpet: Limpet, clientIds: readonly string[]): Promise<Map<string, string[]>> {
  return until(
    () => {
      const landed = landings(limpet);
      return clientIds.every(id => landed.has(id)) && landed;
    },
    { what: `lines about ${clientIds.length} clients`, seen: () => limpet.process.tail() },
  );
}

/** Waits until the proxy has logged the end of a session of each of these clients. */
export async function ended(limpet: Limpet, clientIds: readonly string[]): Promise<void> {
  const over = (): Set<unknown> =>
    new Set(limpet.events(({ event }) => event === 'end').map(({ client_id }) => client_id));
  await until(
    () => {
      const gone = over();
      return clientIds.every(id => gone.has(id));
    },
    { what: `the ends of ${clientIds.length} sessions`, seen: () => limpet.process.tail() },
  );
}
