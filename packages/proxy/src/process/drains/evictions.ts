import type { Eviction } from '../../workshop.ts';
import { spread } from './pace.ts';
import type { Premises } from './premises.ts';

/** One message to a worker that is not answered yet. */
interface Asked {
  readonly worker: number;
  readonly place: string;
  readonly count: number;
  readonly told: (asked: number, count: number) => void;
}

/** Asks workers to ask sessions to leave, and knows what is under way: nobody is asked for the same session twice. */
export class Evictions {
  readonly #premises: Premises;
  #open: Asked[] = [];

  constructor(premises: Premises) {
    this.#premises = premises;
  }

  /** Sessions of a server that a worker was told to ask, and has not answered for. They still count as its connections. */
  pending(backend: string, server: string): number {
    const place = `${backend}/${server}`;
    return this.#open.reduce((sum, one) => (one.place === place ? sum + one.count : sum), 0);
  }

  /**
   * Asks `count` sessions of a server to leave: workers in proportion to what they have there. `told` hears of each
   * worker how many of its part were really asked; those that are still dialled cannot be.
   */
  ask(backend: string, server: string, count: number, eviction: Eviction, told: Asked['told']): void {
    const place = `${backend}/${server}`;
    const workers = this.#premises.workers();
    const have = workers.map(({ id }) => {
      const pending = this.#open.filter(one => one.worker === id && one.place === place);
      const free = this.#premises.connsOf(id, backend, server) - pending.reduce((sum, one) => sum + one.count, 0);
      return Math.max(0, free);
    });
    const parts = spread(count, have);
    for (const [i, worker] of workers.entries()) {
      const part = parts[i] ?? 0;
      if (part === 0) continue;
      this.#open.push({ worker: worker.id, place, count: part, told });
      worker.say(['evict', backend, server, part, eviction]);
    }
    const asked = parts.reduce((sum, part) => sum + part, 0);
    if (asked < count) told(0, count - asked);
  }

  /** A worker's answer: each message gets one, in their order. */
  evicted(worker: number, backend: string, server: string, asked: number): void {
    const place = `${backend}/${server}`;
    const i = this.#open.findIndex(one => one.worker === worker && one.place === place);
    const [answered] = i === -1 ? [] : this.#open.splice(i, 1);
    answered?.told(asked, answered.count);
  }

  /** Its sessions are gone, and it answers no more. */
  workerGone(worker: number): void {
    const owed = this.#open.filter(one => one.worker === worker);
    this.#open = this.#open.filter(one => one.worker !== worker);
    for (const { told, count } of owed) told(0, count);
  }
}
