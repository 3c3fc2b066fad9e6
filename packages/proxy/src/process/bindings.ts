import { bindsOf, type PlacedBind } from '../config/bind_key.ts';
import type { BindConfig, Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { type BoundHandle, type BoundSocket, bindAll, bindMore } from './sockets.ts';
import type { BindRef } from './wire.ts';

/** Where one bind really listens. */
export interface Listening {
  readonly frontend: string;
  /** As configured: `*:1883`. */
  readonly bind: string;
  /** Among the binds of the frontend. */
  readonly place: number;
  readonly address: string;
  readonly port: number;
}

interface Bound {
  placed: PlacedBind;
  /** Only ever extended; each has a number of its own, which is never used again. */
  readonly sockets: { readonly index: number; readonly socket: BoundSocket }[];
}

/** What a reload does to the sockets. Exactly one of the three is called, `commit` once everything else is ready. */
export interface BindingsChange {
  /** New binds are there; answers what closes the ones that are gone, when no worker listens on them any more. */
  commit(): { closeGone(): void };
  /** Nothing has changed. */
  abort(): void;
}

/**
 * The sockets of all binds, in the primary. A bind keeps its socket across reloads, so that no connect is refused and no
 * backlog is lost.
 */
export class Bindings {
  /** bindKey → what is bound. */
  #bound = new Map<string, Bound>();
  #numbers = 0;
  #edition = 0;
  #inherited = new Map<string, readonly BoundSocket[]>();

  /** Sockets of the process that this one replaces, by bindKey: the first prepare() takes those that it needs. */
  inherit(sockets: ReadonlyMap<string, readonly BoundSocket[]>): void {
    this.#inherited = new Map(sockets);
  }

  /**
   * Binds what a configuration has and this one has not; nothing of what is there changes before commit().
   * @throws LimpetError BIND_*: nothing has changed
   */
  async prepare(config: Config): Promise<BindingsChange> {
    const { workers } = config.global;
    const made: BoundSocket[] = [];
    const next: { placed: PlacedBind; known: Bound | null; more: readonly BoundSocket[] }[] = [];
    try {
      for (const placed of bindsOf(config)) {
        const twin = next.find(({ placed: other }) => other.key === placed.key)?.placed;
        if (twin !== undefined) throw boundTwice(twin, placed);
        const known = this.#bound.get(placed.key) ?? null;
        const more =
          known === null ? await this.#newSockets(placed, workers) : moreSockets(placed.bind, known, workers);
        made.push(...more);
        next.push({ placed, known, more });
      }
    } catch (error) {
      closeAll(made);
      throw error;
    }
    return {
      abort: () => closeAll(made),
      commit: () => {
        const before = this.#bound;
        this.#edition += 1;
        this.#bound = new Map(next.map(({ placed, known, more }) => [placed.key, this.#extended(placed, known, more)]));
        for (const unused of this.#inherited.values()) closeAll(unused);
        this.#inherited.clear();
        const gone = [...before].filter(([key]) => !this.#bound.has(key)).flatMap(([, { sockets }]) => sockets);
        return { closeGone: () => closeAll(gone.map(({ socket }) => socket)) };
      },
    };
  }

  /** Another one for each configuration: a `BindRef` means something only to whoever was told the same one. */
  get edition(): number {
    return this.#edition;
  }

  /** In the order of the configuration. */
  get listening(): Listening[] {
    return [...this.#bound.values()].flatMap(({ placed: { frontend, place, bind }, sockets: [first] }) => {
      if (first === undefined) return [];
      const { address, port } = first.socket;
      return { frontend, bind: bind.label, place, address, port };
    });
  }

  /**
   * What the worker of a slot listens on: a socket that all have, or, where each has its own, every one that is left to it.
   * So no socket is without a worker, whatever their number was before. Behind them those of slots whose workers are full.
   */
  refs(slot: number, workers: number, full: ReadonlySet<number> = new Set()): BindRef[] {
    return [...this.#bound.values()].flatMap(({ placed: { frontend, place }, sockets }) => {
      const refs = (some: readonly number[], isLent: boolean): BindRef[] =>
        some.flatMap(one => sockets[one] ?? []).map(({ index }) => ({ index, frontend, place, isLent }));
      const own = socketsOfSlot(slot, workers, sockets.length);
      return [...refs(own, false), ...refs(socketsLentTo(slot, workers, sockets.length, full), true)];
    });
  }

  /** All sockets, with the bindKey of each. */
  held(): readonly { readonly key: string; readonly socket: BoundSocket }[] {
    return [...this.#bound].flatMap(([key, { sockets }]) => sockets.map(({ socket }) => ({ key, socket })));
  }

  /** Null: there is no such socket any more. */
  handle(index: number): BoundHandle | null {
    for (const { sockets } of this.#bound.values()) {
      const found = sockets.find(one => one.index === index);
      if (found !== undefined) return found.socket.handle;
    }
    return null;
  }

  close(): void {
    for (const { sockets } of this.#bound.values()) closeAll(sockets.map(({ socket }) => socket));
    this.#bound = new Map();
  }

  async #newSockets({ key, bind }: PlacedBind, workers: number): Promise<readonly BoundSocket[]> {
    const inherited = this.#inherited.get(key) ?? [];
    const [first] = inherited;
    if (first === undefined) return await this.#bindNew(bind, workers);
    this.#inherited.delete(key);
    return [...inherited, ...bindMore(bind, first, workers - inherited.length)];
  }

  /** The kernel says no more than that somebody has the port; where that is this process, to stop it is no remedy. */
  async #bindNew(bind: BindConfig, workers: number): Promise<readonly BoundSocket[]> {
    try {
      return await bindAll(bind, workers);
    } catch (error) {
      const own = this.listening.find(({ port }) => bind.port !== 0 && port === bind.port);
      const isInUse = error instanceof LimpetError && error.code === 'BIND_IN_USE';
      throw isInUse && own !== undefined ? boundHere(bind, own) : error;
    }
  }

  #extended(placed: PlacedBind, known: Bound | null, more: readonly BoundSocket[]): Bound {
    const sockets = [...(known?.sockets ?? [])];
    for (const socket of more) {
      sockets.push({ index: this.#numbers, socket });
      this.#numbers += 1;
    }
    return { placed, sockets };
  }
}

/** Which of a bind's sockets the worker of a slot listens on: the one that all share, or its share of them. */
export function socketsOfSlot(slot: number, workers: number, sockets: number): number[] {
  const all = Array.from({ length: sockets }, (_, socket) => socket);
  return sockets === 1 ? all : all.filter(socket => socket % workers === slot);
}

/** Which others it listens on: those of slots whose workers are full. It has no room itself, or they have none: it does no harm. */
export function socketsLentTo(slot: number, workers: number, sockets: number, full: ReadonlySet<number>): number[] {
  const own = new Set(socketsOfSlot(slot, workers, sockets));
  const others = [...full].filter(other => other !== slot && other < workers);
  const lent = new Set(others.flatMap(other => socketsOfSlot(other, workers, sockets)));
  return [...lent].filter(socket => !own.has(socket)).sort((one, other) => one - other);
}

function boundTwice(one: PlacedBind, other: PlacedBind): LimpetError {
  const where =
    one.frontend === other.frontend ? `frontend ${one.frontend}, twice` : `${one.frontend} and ${other.frontend}`;
  const what = `cannot listen on ${other.bind.label}: it is a bind of ${where}`;
  return new LimpetError('BIND_IN_USE', what, 'remove one of them, or give it another port');
}

function boundHere({ label }: BindConfig, { frontend, bind }: Listening): LimpetError {
  const what = `cannot listen on ${label}: Limpet itself has the port, for ${bind} of frontend ${frontend}`;
  const remedy = `reload without a bind on that port, then with ${label} (no client gets in between); or restart`;
  return new LimpetError('BIND_IN_USE', what, remedy);
}

function moreSockets(bind: BindConfig, { sockets }: Bound, workers: number): readonly BoundSocket[] {
  const [first] = sockets;
  return first === undefined ? [] : bindMore(bind, first.socket, workers - sockets.length);
}

function closeAll(sockets: readonly BoundSocket[]): void {
  for (const { handle } of sockets) handle.close();
}
