import type { ScopeKind, TallyDelta } from './counters.ts';
import { Lane, ScopeTally } from './lane.ts';

/** Where a client came in. */
export interface CameIn {
  readonly frontend: { readonly name: string };
  /** The name of the bind's scope. */
  readonly bindScope: string;
}

/**
 * What one worker counts, until it tells the primary. Sessions now of a frontend, a bind and a worker are connections from
 * accept to end; those of a backend and a server are clients that have a broker.
 */
export class Tally {
  readonly #worker: ScopeTally = new ScopeTally('worker', '');
  readonly #dirty: Lane[] = [];
  readonly #scopes = new Map<ScopeKind, Map<string, ScopeTally>>();
  readonly #entrances = new Map<string, Lane>();
  readonly #places = new Map<string, Map<string, Lane>>();
  readonly #ways = new Map<Lane, Map<Lane, Lane>>();

  /** Frontend, bind and worker: what is counted of a client before it has a broker. */
  entrance({ frontend, bindScope }: CameIn): Lane {
    const known = this.#entrances.get(bindScope);
    if (known !== undefined) return known;
    const scopes = [this.#scope('frontend', frontend.name), this.#scope('bind', bindScope), this.#worker];
    const made = new Lane(scopes, scopes, this.#dirty);
    this.#entrances.set(bindScope, made);
    return made;
  }

  /** Backend, server and worker: what is counted of attempts at a server. */
  place(backend: string, server: string): Lane {
    const servers = obtain(this.#places, backend, () => new Map<string, Lane>());
    return obtain(servers, server, () => {
      const homes = [this.#scope('backend', backend), this.#scope('server', `${backend}/${server}`)];
      return new Lane([...homes, this.#worker], homes, this.#dirty);
    });
  }

  /** All five: what is counted of a client that has, or had, a server. Its sessions are the backend's and the server's. */
  way(from: CameIn, backend: string, server: string): Lane {
    const entrance = this.entrance(from);
    const ways = obtain(this.#ways, entrance, () => new Map<Lane, Lane>());
    return obtain(ways, this.place(backend, server), () => {
      const homes = [this.#scope('backend', backend), this.#scope('server', `${backend}/${server}`)];
      const before = [this.#scope('frontend', from.frontend.name), this.#scope('bind', from.bindScope), this.#worker];
      return new Lane([...before, ...homes], homes, this.#dirty);
    });
  }

  /** A client that is turned away, by the reason that the log gives; `server`: the last one it was tried at. */
  refused(from: CameIn, reason: string, backend: string, server: string | null): Lane {
    const lane = server === null ? this.entrance(from) : this.way(from, backend, server);
    lane.count(`refused:${reason}`);
    return lane;
  }

  /** What has been counted since the last time. */
  flush(): TallyDelta[] {
    const scopes: ScopeTally[] = [];
    for (const lane of this.#dirty.splice(0)) lane.spread(scopes);
    return scopes.flatMap(scope => scope.take() ?? []);
  }

  /**
   * After a reload: lets go of what may have left the configuration. Sessions that are there still hold what they count
   * with, and are told of by flush() as before.
   */
  forget(): void {
    for (const map of [this.#scopes, this.#entrances, this.#places, this.#ways]) map.clear();
  }

  #scope(kind: ScopeKind, name: string): ScopeTally {
    const named = obtain(this.#scopes, kind, () => new Map<string, ScopeTally>());
    return obtain(named, name, () => new ScopeTally(kind, name));
  }
}

function obtain<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
