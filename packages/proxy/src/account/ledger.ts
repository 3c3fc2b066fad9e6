import type { Config } from '../config/resolved.ts';
import type { ScopeKind, TallyDelta } from './counters.ts';
import { serverScope } from './scope_names.ts';
import type { Measured } from './scope_sums.ts';
import { Scopes } from './scopes.ts';
import { SessionNumbers } from './session_numbers.ts';

/** A server's count. */
interface Place {
  /** What sessions have instead of it. */
  readonly number: number;
  conns: number;
  /** worker → its part of them. */
  readonly byWorker: Map<number, number>;
}

/** What History reads of a ledger. */
export interface Sums {
  /** All workers together, those that are dead too. */
  readonly total: Measured;
  /** `backend/server` → sessions now. */
  readonly servers: ReadonlyMap<string, number>;
}

/**
 * Who is connected where and all that is counted, in the primary: the one truth that the scheduler, the limits, the logs
 * and every face look at (P12).
 *
 * Reservations (`conns`): a session is counted when a server is picked for it, not when it is connected, so that a storm
 * does not pile up on one "least loaded" server; it is given back when it ends, or when its worker dies (P8).
 *
 * Scopes: what workers have tallied, some 100 ms old. A dead worker's sessions are given back; its sums stay (P8).
 */
export class Ledger {
  readonly #scopes: Scopes = new Scopes();
  /** worker → session → the number of its server's place. */
  readonly #sessions = new Map<number, SessionNumbers>();
  /** By their numbers; 0 is none, and those that were forgotten are free for others. */
  readonly #numbered: (Place | undefined)[] = [undefined];
  /** backend → server → count. */
  readonly #places = new Map<string, Map<string, Place>>();

  /** The session uses this server from now on, and no other. Saying it twice counts once. */
  use(worker: number, session: number, backend: string, server: string): void {
    const place = this.#place(backend, server);
    const sessions = obtain(this.#sessions, worker, () => new SessionNumbers());
    const before = sessions.get(session);
    if (before === place.number) return;
    this.#count(before, worker, -1);
    sessions.set(session, place.number);
    this.#count(place.number, worker, 1);
  }

  /** The session uses no server any more. */
  free(worker: number, session: number): void {
    this.#count(this.#sessions.get(worker)?.take(session) ?? 0, worker, -1);
  }

  /** Gives back all that a dead worker had; answers how many sessions. */
  workerGone(worker: number): number {
    this.#scopes.workerGone(worker);
    const sessions = this.#sessions.get(worker);
    if (sessions === undefined) return 0;
    for (const place of sessions.values()) this.#count(place, worker, -1);
    this.#sessions.delete(worker);
    return sessions.size;
  }

  /** Connections of a server now. */
  conns(backend: string, server: string): number {
    return this.#places.get(backend)?.get(server)?.conns ?? 0;
  }

  /** Those of one worker: what a drain spreads over. A session that was asked to leave is not among them any more. */
  connsOf(worker: number, backend: string, server: string): number {
    return this.#places.get(backend)?.get(server)?.byWorker.get(worker) ?? 0;
  }

  /** What a worker has counted since it last said so. */
  tally(worker: number, deltas: readonly TallyDelta[]): void {
    this.#scopes.tally(worker, deltas);
  }

  /** A health check was made. */
  checked(backend: string, server: string, ok: boolean): void {
    this.#ofServer(backend, server, 'checks');
    if (!ok) this.#ofServer(backend, server, 'checks_failed');
  }

  /** Checks have marked the server DOWN. */
  wentDown(backend: string, server: string): void {
    this.#ofServer(backend, server, 'downs');
  }

  /**
   * Says what there is from now on: at the start, and after each reload. What has gone keeps its numbers until its last
   * session has ended, and is forgotten then, so that memory is bounded.
   */
  configure(config: Pick<Config, 'frontends' | 'backends'>): void {
    this.#scopes.configure(config);
    const names = new Set(
      config.backends.flatMap(({ name, servers }) => servers.map(one => serverScope(name, one.name))),
    );
    for (const [backend, servers] of this.#places) {
      for (const [server, { conns, number }] of servers) {
        if (conns > 0 || names.has(serverScope(backend, server))) continue;
        servers.delete(server);
        this.#numbered[number] = undefined;
      }
      if (servers.size === 0) this.#places.delete(backend);
    }
  }

  /** To be called once a second: rates are what came since the last time. `nowMs`: monotonic. */
  tick(nowMs: number): void {
    this.#scopes.tick(nowMs);
  }

  /** A scope's numbers; all 0 where nothing was counted yet. A worker's name is its number; '': all workers, dead ones too. */
  scope(kind: ScopeKind, name: string): Measured {
    return this.#scopes.measured(kind, name);
  }

  /** Sessions now of one worker at a server. */
  sessionsOf(worker: number, backend: string, server: string): number {
    return this.#scopes.sessionsOf(worker, 'server', serverScope(backend, server));
  }

  sums(): Sums {
    return { total: this.#scopes.measured('worker', ''), servers: this.#scopes.sessions('server') };
  }

  #ofServer(backend: string, server: string, counter: 'checks' | 'checks_failed' | 'downs'): void {
    this.#scopes.add('server', serverScope(backend, server), counter);
    this.#scopes.add('backend', backend, counter);
  }

  #place(backend: string, server: string): Place {
    const servers = obtain(this.#places, backend, () => new Map<string, Place>());
    return obtain(servers, server, () => {
      const free = this.#numbered.indexOf(undefined, 1);
      const place: Place = { number: free === -1 ? this.#numbered.length : free, conns: 0, byWorker: new Map() };
      this.#numbered[place.number] = place;
      return place;
    });
  }

  /** One session more or less there; at 0 nothing is counted. */
  #count(number: number, worker: number, change: 1 | -1): void {
    const place = this.#numbered[number];
    if (place === undefined) return;
    place.conns += change;
    const its = (place.byWorker.get(worker) ?? 0) + change;
    if (its === 0) place.byWorker.delete(worker);
    else place.byWorker.set(worker, its);
  }
}

function obtain<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
