/**
 * Many light clients at once, or one after the other at a steady pace.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Arrival, arrive, type LightClient, type LightOptions } from './light_client.ts';

/** Clients that are there. Disposing of it lets them all leave. */
export class Crowd implements AsyncDisposable {
  readonly arrivals: readonly Arrival[];

  constructor(arrivals: readonly Arrival[]) {
    this.arrivals = arrivals;
  }

  /** Those that were accepted, in the order in which they began. */
  get clients(): LightClient[] {
    return this.arrivals.flatMap(({ client }) => client ?? []);
  }

  /** Those that were not, as `id: outcome`. */
  get refused(): string[] {
    return this.arrivals
      .filter(({ client }) => client === null)
      .map(({ clientId, outcome }) => `${clientId}: ${outcome}`);
  }

  get longestWaitMs(): number {
    return Math.max(...this.arrivals.map(({ waitMs }) => waitMs));
  }

  async leave(): Promise<void> {
    await Promise.all(this.clients.map(client => client.leave()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}

/** `a-0`, `a-1`, … */
export function ids(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${from + index}`);
}

/** All at once. */
export async function connectAll(
  port: number,
  clientIds: readonly string[],
  options: Omit<LightOptions, 'clientId'> = {},
): Promise<Crowd> {
  return new Crowd(await Promise.all(clientIds.map(clientId => arrive(port, { ...options, clientId }))));
}

/** One after the other. */
export async function connectInTurn(
  port: number,
  clientIds: readonly string[],
  options: Omit<LightOptions, 'clientId'> = {},
): Promise<Crowd> {
  const arrivals: Arrival[] = [];
  for (const clientId of clientIds) arrivals.push(await arrive(port, { ...options, clientId }));
  return new Crowd(arrivals);
}

export interface Pace {
  readonly everyMs: number;
  /** The client of that number, from 0; null: nobody comes this time. */
  readonly next: (number: number) => LightOptions | null;
  /** What it does once it has arrived; default: it stays. */
  readonly arrived?: (arrival: Arrival) => void;
}

/** Clients that keep coming, whatever becomes of those before. */
export class Stream implements AsyncDisposable {
  readonly #port: number;
  readonly #pace: Pace;
  readonly #arrivals: Promise<Arrival>[] = [];
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(port: number, pace: Pace) {
    this.#port = port;
    this.#pace = pace;
    this.#running = this.#run();
  }

  /** How many have come so far. */
  get count(): number {
    return this.#arrivals.length;
  }

  /** Nobody comes any more; resolves when all have their answer. */
  async stop(): Promise<Crowd> {
    this.#stopped = true;
    await this.#running;
    return new Crowd(await Promise.all(this.#arrivals));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.stop()).leave();
  }

  async #run(): Promise<void> {
    const startMs = performance.now();
    for (let number = 0; !this.#stopped; number += 1) {
      // By the clock, so that a slow turn is made up for and the pace holds.
      await delay(Math.max(0, startMs + number * this.#pace.everyMs - performance.now()));
      const options = this.#pace.next(number);
      if (options === null) continue;
      const arrival = arrive(this.#port, options);
      this.#arrivals.push(arrival);
      void arrival.then(this.#pace.arrived);
    }
  }
}
