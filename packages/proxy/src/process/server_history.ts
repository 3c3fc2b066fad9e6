/** What became of a server, in words: `UP`, `DOWN`, `MAINT`, `DRAIN`, … */
export interface ServerChange {
  readonly atMs: number;
  readonly state: string;
  readonly reason: string;
}

interface Known {
  readonly changes: ServerChange[];
  downSinceMs: number | null;
  downtimeMs: number;
}

const MOST_CHANGES = 20;

/** The last changes of each server, and how long it has been DOWN since the start. Times are `Date.now()`. */
export class ServerHistory {
  readonly #servers = new Map<string, Known>();

  /** A change of verdict or of admin state; `down`: it is DOWN from now on. */
  note(backend: string, server: string, change: ServerChange, down: boolean): void {
    const known = this.#of(backend, server);
    known.changes.unshift(change);
    if (known.changes.length > MOST_CHANGES) known.changes.pop();
    if (down) known.downSinceMs ??= change.atMs;
    else if (known.downSinceMs !== null) {
      known.downtimeMs += Math.max(0, change.atMs - known.downSinceMs);
      known.downSinceMs = null;
    }
  }

  /** Newest first. */
  changes(backend: string, server: string): readonly ServerChange[] {
    return this.#servers.get(`${backend}/${server}`)?.changes ?? [];
  }

  downtimeMs(backend: string, server: string, nowMs: number): number {
    const known = this.#servers.get(`${backend}/${server}`);
    if (known === undefined) return 0;
    return known.downtimeMs + (known.downSinceMs === null ? 0 : Math.max(0, nowMs - known.downSinceMs));
  }

  /** Forgets servers that are not among these (`backend/server`). */
  keep(servers: ReadonlySet<string>): void {
    for (const name of this.#servers.keys()) if (!servers.has(name)) this.#servers.delete(name);
  }

  #of(backend: string, server: string): Known {
    const name = `${backend}/${server}`;
    const known = this.#servers.get(name) ?? { changes: [], downSinceMs: null, downtimeMs: 0 };
    this.#servers.set(name, known);
    return known;
  }
}
