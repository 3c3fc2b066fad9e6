/**
 * What stands behind the proxies: three mosquittos on one host, and Redis on another.
 */
import type { Directory } from '../packages/proxy/test/kit/directory.ts';
import type { Process } from '../packages/proxy/test/kit/process.ts';
import { addresses, startOn } from './network.ts';

/** A CONNECT that a broker accepted, by its own log. */
export interface Accepted {
  readonly broker: string;
  readonly clientId: string;
  readonly atMs: number;
}

const accepted = /New client connected from \S+ as (\S+) \(/;
const firstBrokerPort = 1883;
const redisPort = 6379;

const brokerNames = ['b1', 'b2', 'b3'] as const;
export const redisUrl = `redis://${addresses.redis}:${redisPort}/0`;

/** Name → `address:port`, for a backend's `servers`. */
export function servers(): Record<string, string> {
  return Object.fromEntries(
    brokerNames.map((name, index) => [name, `${addresses.brokers}:${firstBrokerPort + index}`]),
  );
}

/** Disposing of it ends all of them. */
export class Services implements AsyncDisposable {
  readonly #directory: Directory;
  readonly #tellsClients: boolean;
  readonly #brokers = new Map<string, Process>();
  #redis: Process | null = null;

  /** `tellsClients`: whether `accepted` will be asked for. */
  constructor(directory: Directory, tellsClients: boolean) {
    this.#directory = directory;
    this.#tellsClients = tellsClients;
  }

  async start(): Promise<void> {
    await Promise.all([this.startRedis(), ...brokerNames.map((name, index) => this.#startBroker(name, index))]);
  }

  /** Starts an empty one, unless it runs. */
  async startRedis(): Promise<void> {
    if (this.#redis !== null && this.#redis.exit === null) return;
    const empty = ['--save', '', '--appendonly', 'no', '--dir', this.#directory.path];
    const where = ['--bind', addresses.redis, '--port', String(redisPort), '--protected-mode', 'no'];
    this.#redis = startOn('redis', 'redis-server', [...where, ...empty]);
    await this.#redis.waitForLine(/ready to accept connections/i);
  }

  /** Every CONNECT so far, oldest first, of clients whose id begins so. */
  accepted(prefix: string): Accepted[] {
    const all = [...this.#brokers].flatMap(([broker, process]) =>
      process.lines.flatMap(({ text, atMs }) => {
        const clientId = accepted.exec(text)?.[1];
        return clientId?.startsWith(prefix) ? [{ broker, clientId, atMs }] : [];
      }),
    );
    return all.sort((a, b) => a.atMs - b.atMs);
  }

  /** SIGKILL, without waiting for the end. */
  killRedis(): void {
    this.#redis?.signal('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis?.[Symbol.asyncDispose]();
    for (const process of this.#brokers.values()) await process[Symbol.asyncDispose]();
  }

  async #startBroker(name: string, index: number): Promise<void> {
    const lines = [
      // Otherwise, started by root, it becomes another user, and forgets to die with us.
      'user root',
      `listener ${firstBrokerPort + index} ${addresses.brokers}`,
      'allow_anonymous true',
      'persistence false',
      'sys_interval 0',
      'log_dest stderr',
      'log_type notice',
      'log_type information',
      `connection_messages ${this.#tellsClients}`,
    ];
    const file = this.#directory.write(`${name}.conf`, `${lines.join('\n')}\n`);
    const process = startOn('brokers', 'mosquitto', ['-c', file]);
    this.#brokers.set(name, process);
    await process.waitForLine(/mosquitto version \S+ running/);
  }
}
