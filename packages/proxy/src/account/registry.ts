/** What a registry keeps of a session. */
export interface Registered<Session> {
  readonly frontend: string;
  /** The registry's own: where the session is; null: it is in no registry. */
  place: Place<Session> | null;
}

/** The counts in HAProxy's log line, of one worker. */
export interface WorkerCounts {
  readonly total: number;
  readonly frontend: number;
  readonly backend: number;
  readonly server: number;
}

/** A server, or no server yet, and the sessions that are there. */
export class Place<Session> {
  readonly sessions: Set<Session> = new Set();
  /** Null: no server. */
  readonly backend: Backend<Session> | null;

  constructor(backend: Backend<Session> | null) {
    this.backend = backend;
  }
}

interface Backend<Session> {
  sessions: number;
  readonly servers: Map<string, Place<Session>>;
}

/** The sessions of one worker, and where each of them is. A session is in one set and has one field for it: there are many. */
export class Registry<Session extends Registered<Session>> {
  readonly #nowhere: Place<Session> = new Place<Session>(null);
  readonly #backends = new Map<string, Backend<Session>>();
  readonly #frontends = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(session: Session): void {
    this.#enter(session, this.#nowhere);
    this.#size += 1;
    this.#bump(session.frontend, 1);
  }

  /** The session is at this server now; null: at none. */
  moved(session: Session, backend: string, server: string | null): void {
    const before = session.place;
    const after = server === null ? this.#nowhere : this.#placeOf(backend, server);
    if (before === null || before === after) return;
    leave(session, before);
    this.#enter(session, after);
  }

  remove(session: Session): void {
    const { place } = session;
    if (place === null) return;
    leave(session, place);
    this.#size -= 1;
    this.#bump(session.frontend, -1);
  }

  at(backend: string, server: string): Session[] {
    return [...(this.#backends.get(backend)?.servers.get(server)?.sessions ?? [])];
  }

  has(session: Session): boolean {
    return session.place !== null;
  }

  all(): Session[] {
    const all = [...this.#nowhere.sessions];
    for (const { servers } of this.#backends.values()) {
      for (const { sessions } of servers.values()) for (const session of sessions) all.push(session);
    }
    return all;
  }

  counts(frontend: string, backend: string, server: string): WorkerCounts {
    const there = this.#backends.get(backend);
    return {
      total: this.#size,
      frontend: this.#frontends.get(frontend) ?? 0,
      backend: there?.sessions ?? 0,
      server: there?.servers.get(server)?.sessions.size ?? 0,
    };
  }

  #enter(session: Session, place: Place<Session>): void {
    session.place = place;
    place.sessions.add(session);
    if (place.backend !== null) place.backend.sessions += 1;
  }

  #placeOf(backend: string, server: string): Place<Session> {
    let known = this.#backends.get(backend);
    if (known === undefined) {
      known = { sessions: 0, servers: new Map() };
      this.#backends.set(backend, known);
    }
    let place = known.servers.get(server);
    if (place === undefined) {
      place = new Place(known);
      known.servers.set(server, place);
    }
    return place;
  }

  #bump(frontend: string, by: number): void {
    this.#frontends.set(frontend, (this.#frontends.get(frontend) ?? 0) + by);
  }
}

function leave<Session extends Registered<Session>>(session: Session, place: Place<Session>): void {
  session.place = null;
  place.sessions.delete(session);
  if (place.backend !== null) place.backend.sessions -= 1;
}
