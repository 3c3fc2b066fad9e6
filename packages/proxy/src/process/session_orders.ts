import type { Registry } from '../account/registry.ts';
import { endSessions, listSessions } from '../account/session_search.ts';
import { evict } from '../evict.ts';
import type { ViewChange } from '../route/view.ts';
import type { LiveSession } from '../workshop.ts';
import type { PrimaryLink } from './primary_link.ts';
import type { SessionQuestion, ToWorker } from './wire.ts';

/** What the primary wants of the sessions of one worker: to know them, to move them, to end them. */
export class SessionOrders {
  readonly #registry: Registry<LiveSession>;
  readonly #link: PrimaryLink;

  constructor(registry: Registry<LiveSession>, link: PrimaryLink) {
    this.#registry = registry;
    this.#link = link;
  }

  /** What is known of a backend's servers has changed. */
  viewed(backend: string, { fallen, maintained }: ViewChange): void {
    for (const server of fallen) {
      for (const session of this.#registry.at(backend, server)) session.serverFell('server_down');
    }
    for (const server of maintained) {
      for (const session of this.#registry.at(backend, server)) session.serverFell('maintenance');
    }
  }

  evict([, backend, server, count, eviction]: Extract<ToWorker, readonly ['evict', ...unknown[]]>): void {
    this.#link.say(['evicted', backend, server, evict(this.#registry.at(backend, server), count, eviction)]);
  }

  async answer(call: number, question: SessionQuestion): Promise<void> {
    const answer =
      question.kind === 'list'
        ? await listSessions(this.#registry, question.filter, question.limit)
        : await endSessions(this.#registry, question.filter);
    this.#link.say(['told', call, answer]);
  }
}
