import type { MemoryTable } from '@limpet/state';
import type { NoServer, PickRequest, Scheduler } from './scheduler.ts';

/** A worker's wish for a server. */
export interface PlaceRequest extends PickRequest {
  readonly session: number;
  readonly backend: string;
  /** The server that holds the key already, where the shared table said so: it is taken if it is not full. */
  readonly want: string | null;
}

/** `held`: the table had it; `claimed`: it is new there, or moved from `displaced`; `none`: there is no entry. */
export type Stick = 'held' | 'claimed' | 'none';

export type Placed =
  | {
      readonly server: string;
      readonly stick: Stick;
      readonly displaced: string | null;
    }
  | { readonly server: null; readonly why: NoServer };

/** Where the sessions are counted. */
export interface Counts {
  use(worker: number, session: number, backend: string, server: string): void;
}

/** One backend as the primary knows it. */
export interface PlacedBackend {
  readonly scheduler: Scheduler;
  /** The stick table itself (memory), or what this proxy has seen lately of the shared one (redis); null: no `stick`. */
  readonly table: MemoryTable | null;
}

/** Who asks: the worker's number, and its name in the table. */
export interface Asker {
  readonly id: number;
  readonly owner: string;
}

/**
 * Finds a session its server and counts it there, in one step: the table first, then the scheduler. Runs in the
 * primary, so whatever races there is in workers, the answers come one after the other.
 */
export class Placer {
  readonly #backends: ReadonlyMap<string, PlacedBackend>;
  readonly #counts: Counts;

  constructor(backends: ReadonlyMap<string, PlacedBackend>, counts: Counts) {
    this.#backends = backends;
    this.#counts = counts;
  }

  place(asker: Asker, request: PlaceRequest): Placed {
    const backend = this.#backends.get(request.backend);
    if (backend === undefined) return { server: null, why: 'down' };
    const placed = choose(backend, asker, request);
    if (placed.server !== null) this.#counts.use(asker.id, request.session, request.backend, placed.server);
    return placed;
  }
}

function choose({ scheduler, table }: PlacedBackend, asker: Asker, request: PlaceRequest): Placed {
  const usable = scheduler.usable(request.exclude);
  const { want } = request;
  if (want !== null && usable.includes(want)) return { server: want, stick: 'held', displaced: null };
  if (table === null || request.key === null) return picked(scheduler, request);
  const by = { owner: asker.owner, epoch: request.session };
  const answer = table.claim({ key: request.key, usable, candidate: null, by }, () => scheduler.pick(request));
  switch (answer.kind) {
    case 'held':
      return { server: answer.server, stick: 'held', displaced: null };
    case 'claimed':
      return { server: answer.server, stick: 'claimed', displaced: answer.displaced };
    case 'free':
      return { server: null, why: scheduler.whyNobody() };
    case 'full':
      return picked(scheduler, request);
  }
}

function picked(scheduler: Scheduler, request: PlaceRequest): Placed {
  const server = scheduler.pick(request);
  if (server === null) return { server: null, why: scheduler.whyNobody() };
  return { server, stick: 'none', displaced: null };
}
