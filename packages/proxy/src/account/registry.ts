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

/** One session's place in the list of those that are at its server. */
export class Place<Session> {
  readonly session: Session;
  at: Server<Session>;
  before: Place<Session> | null = null;
  behind: Place<Session> | null = null;

  constructor(session: Session, at: Server<Session>) {
    this.session = session;
    this.at = at;
    at.enter(this);
  }

  moveTo(server: Server<Session>): void {
    this.at.leave(this);
    this.at = server;
    server.enter(this);
  }
}

/**
 * A server, or no server yet, and the places of the sessions that are there, in the order in which they came. A list: a Set is
 * copied again and again while sessions come and go, and its former copies keep sessions that have ended.
 */
class Server<Session> {
  /** Null: no server. */
  readonly #backend: Backend<Session> | null;
  #first: Place<Session> | null = null;
  #last: Place<Session> | null = null;
  #size = 0;

  constructor(backend: Backend<Session> | null) {
    this.#backend = backend;
  }

  get size(): number {
    return this.#size;
  }

  enter(place: Place<Session>): void {
    place.before = this.#last;
    if (this.#last === null) this.#first = place;
    else this.#last.behind = place;
    this.#last = place;
    this.#count(1);
  }

  leave(place: Place<Session>): void {
    const { before, behind } = place;
    if (before === null) this.#first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    place.before = null;
    place.behind = null;
    this.#count(-1);
  }

  /** A list of its own: they may leave while it is walked. */
  sessions(): Session[] {
    const sessions: Session[] = [];
    for (let place = this.#first; place !== null; place = place.behind) sessions.push(place.session);
    return sessions;
  }

  #count(by: 1 | -1): void {
    this.#size += by;
    if (this.#backend !== null) this.#backend.sessions += by;
  }
}

interface Backend<Session> {
  sessions: number;
  readonly servers: Map<string, Server<Session>>;
}

/** The sessions of one worker, and where each of them is. */
export class Registry<Session extends Registered<Session>> {
  readonly #nowhere: Server<Session> = new Server<Session>(null);
  readonly #backends = new Map<string, Backend<Session>>();
  readonly #frontends = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(session: Session): void {
    session.place = new Place(session, this.#nowhere);
    this.#size += 1;
    this.#bump(session.frontend, 1);
  }

  /** The session is at this server now; null: at none. */
  moved(session: Session, backend: string, server: string | null): void {
    const { place } = session;
    if (place === null) return;
    const after = server === null ? this.#nowhere : this.#serverOf(backend, server);
    if (place.at !== after) place.moveTo(after);
  }

  remove(session: Session): void {
    const { place } = session;
    if (place === null) return;
    place.at.leave(place);
    session.place = null;
    this.#size -= 1;
    this.#bump(session.frontend, -1);
  }

  at(backend: string, server: string): Session[] {
    return this.#backends.get(backend)?.servers.get(server)?.sessions() ?? [];
  }

  has(session: Session): boolean {
    return session.place !== null;
  }

  all(): Session[] {
    const servers = [...this.#backends.values()].flatMap(backend => [...backend.servers.values()]);
    return [this.#nowhere, ...servers].flatMap(server => server.sessions());
  }

  counts(frontend: string, backend: string, server: string): WorkerCounts {
    const there = this.#backends.get(backend);
    return {
      total: this.#size,
      frontend: this.#frontends.get(frontend) ?? 0,
      backend: there?.sessions ?? 0,
      server: there?.servers.get(server)?.size ?? 0,
    };
  }

  #serverOf(backend: string, server: string): Server<Session> {
    let known = this.#backends.get(backend);
    if (known === undefined) {
      known = { sessions: 0, servers: new Map() };
      this.#backends.set(backend, known);
    }
    let found = known.servers.get(server);
    if (found === undefined) {
      found = new Server(known);
      known.servers.set(server, found);
    }
    return found;
  }

  #bump(frontend: string, by: number): void {
    this.#frontends.set(frontend, (this.#frontends.get(frontend) ?? 0) + by);
  }
}
