/** What a registry keeps of a session. */
export interface Registered {
  readonly frontend: string;
}

interface Counted<Session> {
  readonly session: Session;
  backend: string | null;
  server: string | null;
}

/** The counts in HAProxy's log line, of one worker. */
export interface WorkerCounts {
  readonly total: number;
  readonly frontend: number;
  readonly backend: number;
  readonly server: number;
}

/** The sessions of one worker, and where each of them is. */
export class Registry<Session extends Registered> {
  readonly #sessions = new Map<Session, Counted<Session>>();
  /** `backend/server` → its sessions. */
  readonly #byServer = new Map<string, Set<Session>>();
  readonly #frontends = new Map<string, number>();
  readonly #backends = new Map<string, number>();

  get size(): number {
    return this.#sessions.size;
  }

  add(session: Session): void {
    this.#sessions.set(session, { session, backend: null, server: null });
    bump(this.#frontends, session.frontend, 1);
  }

  /** The session is at this server now; null: at none. */
  moved(session: Session, backend: string, server: string | null): void {
    const counted = this.#sessions.get(session);
    if (counted === undefined) return;
    this.#leave(counted);
    if (server === null) return;
    counted.backend = backend;
    counted.server = server;
    bump(this.#backends, backend, 1);
    const place = `${backend}/${server}`;
    const there = this.#byServer.get(place);
    if (there === undefined) this.#byServer.set(place, new Set([session]));
    else there.add(session);
  }

  remove(session: Session): void {
    const counted = this.#sessions.get(session);
    if (counted === undefined) return;
    this.#leave(counted);
    this.#sessions.delete(session);
    bump(this.#frontends, session.frontend, -1);
  }

  at(backend: string, server: string): Session[] {
    return [...(this.#byServer.get(`${backend}/${server}`) ?? [])];
  }

  has(session: Session): boolean {
    return this.#sessions.has(session);
  }

  all(): Session[] {
    return [...this.#sessions.keys()];
  }

  counts(frontend: string, backend: string, server: string): WorkerCounts {
    return {
      total: this.#sessions.size,
      frontend: this.#frontends.get(frontend) ?? 0,
      backend: this.#backends.get(backend) ?? 0,
      server: this.#byServer.get(`${backend}/${server}`)?.size ?? 0,
    };
  }

  #leave(counted: Counted<Session>): void {
    if (counted.backend === null || counted.server === null) return;
    bump(this.#backends, counted.backend, -1);
    this.#byServer.get(`${counted.backend}/${counted.server}`)?.delete(counted.session);
    counted.backend = null;
    counted.server = null;
  }
}

function bump(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
