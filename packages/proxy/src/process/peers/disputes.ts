import type { Sight } from '../../dial/attempt.ts';

/** An own failed attempt settles a dispute for at least that long. */
const SHORTEST_SETTLED_MS = 2000;

/** What this proxy's sessions have met at a server that is not well. */
const FAILURES: ReadonlySet<Sight> = new Set<Sight>(['dial', 'connack_timeout', 'refused', 'closed']);
/** Those that no client can provoke. */
const SERVERS_FAULT: ReadonlySet<Sight> = new Set<Sight>(['dial', 'connack_timeout']);

/**
 * Servers of which this proxy's checks and those of another one say different things. Entries must not wander between two
 * proxies that see different brokers: so a client whose home is disputed gets one real attempt there, and an own failed
 * attempt settles the dispute for as long as the server's check would take to look again. Then its clients move at once.
 * Places are `backend/server`, `nowMs` is monotonic.
 */
export class Disputes {
  #upElsewhere: ReadonlySet<string> = new Set();
  /** place → when a session of this proxy last failed there. */
  readonly #failedAtMs = new Map<string, number>();

  /** What the other proxies' checks have found well. */
  hear(upElsewhere: ReadonlySet<string>): void {
    this.#upElsewhere = upElsewhere;
  }

  /** `isContested`: sessions go there though it is down. Only then does what a client may have provoked speak against it. */
  seen(place: string, sight: Sight, isContested: boolean, nowMs: number): void {
    if ((isContested ? FAILURES : SERVERS_FAULT).has(sight)) this.#failedAtMs.set(place, nowMs);
  }

  /** Another proxy finds it well, and nobody of this one has failed there lately. `interMs`: of its check. */
  isOpen(place: string, interMs: number, nowMs: number): boolean {
    if (!this.#upElsewhere.has(place)) return false;
    const failedAtMs = this.#failedAtMs.get(place) ?? Number.NEGATIVE_INFINITY;
    return nowMs - failedAtMs > Math.max(interMs, SHORTEST_SETTLED_MS);
  }

  /** Forgets all others. */
  keep(places: ReadonlySet<string>): void {
    for (const place of this.#failedAtMs.keys()) if (!places.has(place)) this.#failedAtMs.delete(place);
  }
}
