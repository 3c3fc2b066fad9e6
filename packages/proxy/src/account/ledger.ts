/** A server's count; sessions point at it. */
interface Place {
  conns: number;
}

/**
 * Who is connected where, in the primary: the one truth that the scheduler, the limits and the logs look at. A session
 * is counted when a server is picked for it, not when it is connected, so that a storm does not pile up on one "least
 * loaded" server; it is given back when it ends, or when its worker dies (P8).
 */
export class Ledger {
  /** worker → session → its server. */
  readonly #sessions = new Map<number, Map<number, Place>>();
  /** backend → server → count. */
  readonly #places = new Map<string, Map<string, Place>>();

  /** The session uses this server from now on, and no other. Saying it twice counts once. */
  use(worker: number, session: number, backend: string, server: string): void {
    const place = this.#place(backend, server);
    const sessions = obtain(this.#sessions, worker, () => new Map<number, Place>());
    const before = sessions.get(session);
    if (before === place) return;
    if (before !== undefined) before.conns -= 1;
    sessions.set(session, place);
    place.conns += 1;
  }

  /** The session uses no server any more. */
  free(worker: number, session: number): void {
    const sessions = this.#sessions.get(worker);
    const place = sessions?.get(session);
    if (place === undefined) return;
    sessions?.delete(session);
    place.conns -= 1;
  }

  /** Gives back all that a dead worker had; answers how many sessions. */
  workerGone(worker: number): number {
    const sessions = this.#sessions.get(worker);
    if (sessions === undefined) return 0;
    for (const place of sessions.values()) place.conns -= 1;
    this.#sessions.delete(worker);
    return sessions.size;
  }

  /** Connections of a server now. */
  conns(backend: string, server: string): number {
    return this.#places.get(backend)?.get(server)?.conns ?? 0;
  }

  #place(backend: string, server: string): Place {
    const servers = obtain(this.#places, backend, () => new Map<string, Place>());
    return obtain(servers, server, () => ({ conns: 0 }));
  }
}

function obtain<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
