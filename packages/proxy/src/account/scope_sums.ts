import type { Counter, Histogram, ScopeFacts, TallyDelta } from './counters.ts';
import { Latency } from './latency.ts';

/** All of a scope, with its latencies since the start. */
export interface Measured extends ScopeFacts {
  readonly connect: Histogram;
  readonly connack: Histogram;
}

/** One scope in the primary: sums of all workers, those of the dead too; sessions now only of the living. */
export class ScopeSums {
  /** What its rate counts. */
  readonly #paced: Counter;
  readonly #counts = new Map<Counter, number>();
  readonly #sessions = new Map<number, number>();
  readonly #connect = new Latency();
  readonly #connack = new Latency();
  #now = 0;
  #max = 0;
  #rate = 0;
  #rateMax = 0;
  #countedBefore = 0;

  constructor(paced: 'connections' | 'sessions') {
    this.#paced = paced;
  }

  /** Sessions now. */
  get sessions(): number {
    return this.#now;
  }

  sessionsOf(worker: number): number {
    return this.#sessions.get(worker) ?? 0;
  }

  take(worker: number, { c, s, dial, connack }: Omit<TallyDelta, 'k' | 'n'>): void {
    // Not Object.entries(): this is the primary's share of every session.
    for (const counter in c) this.add(counter as Counter, c[counter as Counter] ?? 0);
    if (s !== undefined) this.#move(worker, s);
    if (dial !== undefined) this.#connect.take(dial);
    if (connack !== undefined) this.#connack.take(connack);
  }

  add(counter: Counter, by: number): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + by);
  }

  /** Its sessions are gone with it; its sums stay (P8). */
  workerGone(worker: number): void {
    this.#now -= this.sessionsOf(worker);
    this.#sessions.delete(worker);
  }

  /** So much time has passed since the last tick. */
  tick(elapsedMs: number): void {
    const counted = this.count(this.#paced);
    this.#rate = Math.round(((counted - this.#countedBefore) * 1000) / elapsedMs);
    this.#rateMax = Math.max(this.#rateMax, this.#rate);
    this.#countedBefore = counted;
  }

  count(counter: Counter): number {
    return this.#counts.get(counter) ?? 0;
  }

  measured(): Measured {
    return {
      sessions: this.#now,
      sessionsMax: this.#max,
      rate: this.#rate,
      rateMax: this.#rateMax,
      counts: Object.fromEntries(this.#counts),
      connect: this.#connect.histogram(),
      connack: this.#connack.histogram(),
    };
  }

  #move(worker: number, by: number): void {
    const left = this.sessionsOf(worker) + by;
    if (left === 0) this.#sessions.delete(worker);
    else this.#sessions.set(worker, left);
    this.#now += by;
    this.#max = Math.max(this.#max, this.#now);
  }
}
