import { setImmediate as turn } from 'node:timers/promises';
import type { Registry } from '../../account/registry.ts';
import { endSessions, listSessions } from '../../account/session_search.ts';
import { evict } from '../../evict.ts';
import type { ViewChange } from '../../route/view.ts';
import type { LiveSession, ServerFall } from '../../workshop.ts';
import type { SessionQuestion, ToWorker } from '../wire.ts';
import type { PrimaryLink } from './primary_link.ts';

/** Some 100 kB: neither event loop is held by more than a few milliseconds of it. */
const SESSIONS_A_PART = 250;

/** What the primary wants of the sessions of one worker: to know them, to move them, to end them. */
export class SessionOrders {
  readonly #registry: Registry<LiveSession>;
  readonly #link: PrimaryLink;
  readonly #renew: (backend: string, key: string | null) => Promise<void>;

  constructor(
    registry: Registry<LiveSession>,
    link: PrimaryLink,
    renew: (backend: string, key: string | null) => Promise<void>,
  ) {
    this.#registry = registry;
    this.#link = link;
    this.#renew = renew;
  }

  /** What is known of a backend's servers has changed. */
  viewed(backend: string, { fallen, maintained, givenUp }: ViewChange): void {
    this.#fell(backend, fallen, 'server_down');
    this.#fell(backend, maintained, 'maintenance');
    this.#fell(backend, givenUp, 'given_up');
  }

  #fell(backend: string, servers: readonly string[], why: ServerFall): void {
    for (const server of servers) for (const session of this.#registry.at(backend, server)) session.serverFell(why);
  }

  evict([, backend, server, count, eviction]: Extract<ToWorker, readonly ['evict', ...unknown[]]>): void {
    this.#link.say(['evicted', backend, server, evict(this.#registry.at(backend, server), count, eviction)]);
  }

  async answer(call: number, question: SessionQuestion): Promise<void> {
    if (question.kind === 'end') {
      this.#link.say(['told', call, await endSessions(this.#registry, question.filter)]);
      return;
    }
    if (question.kind === 'renew') {
      await this.#renew(question.backend, question.key);
      this.#link.say(['told', call, 0]);
      return;
    }
    const found = await listSessions(this.#registry, question.filter, question.limit);
    let told = 0;
    for (; found.length - told > SESSIONS_A_PART; told += SESSIONS_A_PART) {
      this.#link.say(['part', call, found.slice(told, told + SESSIONS_A_PART)]);
      await turn();
    }
    this.#link.say(['told', call, found.slice(told)]);
  }
}
