import { type ClaimAnswer, type Claimant, type Pin, type StickTable, stickKey } from '@limpet/state';
import type { Choice, How } from '../stages.ts';
import type { Pins } from './pins.ts';
import type { Placed, PlaceRequest } from './placer.ts';
import type { NoServer } from './scheduler.ts';
import type { BackendView, Target } from './view.ts';

/** The primary, as routing needs it. */
export interface Desk {
  place(request: PlaceRequest): Promise<Placed>;
  use(session: number, backend: string, server: string): void;
  free(session: number): void;
}

/** A backend as a worker routes to it. */
export interface Route {
  readonly view: BackendView;
  readonly desk: Desk;
  /** Null: `stick: false`. */
  readonly table: StickTable | null;
  /** The table is shared with other proxies: it is asked before the primary is. */
  readonly shared: boolean;
  readonly pins: Pins;
  /** This worker's name in the table. */
  readonly owner: string;
}

export type Candidate =
  | { readonly kind: 'server'; readonly target: Target; readonly choice: Choice }
  | { readonly kind: 'nobody'; readonly why: NoServer };

const NONE: ReadonlySet<string> = new Set();
const NO_NAMES: readonly string[] = [];

/**
 * A session's place at its server, and in the table: all that is left of its placement once it has a broker, for there are
 * as many as sessions.
 */
export class Stay {
  readonly #route: Route;
  readonly #by: Claimant;
  #pin: Pin | null = null;

  constructor(route: Route, by: Claimant) {
    this.#route = route;
    this.#by = by;
  }

  /** For the placement only. The table has heard of it, or hears of it now. */
  pinned(pin: Pin): void {
    this.#pin = pin;
    this.#route.pins.add(pin);
  }

  /** The session has ended: its entry starts cooling. */
  release(): void {
    const { table, pins, desk } = this.#route;
    if (table !== null && this.#pin !== null) {
      pins.remove(this.#pin);
      void table.release(this.#pin);
    }
    desk.free(this.#by.epoch);
  }

  /**
   * The session is asked to leave: its server counts it no more, though it may stay for some seconds. `forget`: its key is
   * let go of as well, so that its client finds another server; else the entry stays until release().
   */
  leaving(forget: boolean): void {
    const { table, pins, desk } = this.#route;
    if (forget && table !== null && this.#pin !== null) {
      pins.remove(this.#pin);
      void table.forget(this.#pin);
      this.#pin = null;
    }
    desk.free(this.#by.epoch);
  }
}

/**
 * One session's way through the table and the scheduler. next() gives the candidates in their order; then exactly one of
 * accepted(), unconfirmed() and abandoned() is called, and after one of the first two one release() of its stay.
 */
export class Placement {
  readonly stay: Stay;
  readonly #route: Route;
  readonly #by: Claimant;
  readonly #source: string;
  #key: string | null;
  /** Servers that have failed. */
  #tried: Set<string> | null = null;
  #server: string | null = null;
  /** What this session has claimed and not yet confirmed. */
  #claim: { readonly displaced: string | null } | null = null;
  /** The primary was asked for a server for the key. */
  #hasAsked = false;

  /** `value`: what to stick on, null for nothing. `session`: the worker's number of it. */
  constructor(route: Route, session: number, value: string | null, source: string) {
    this.#route = route;
    this.#by = { owner: route.owner, epoch: session };
    this.stay = new Stay(route, this.#by);
    this.#source = source;
    this.#key = value === null || route.table === null ? null : stickKey(value);
  }

  /**
   * The next server to try; the ones before have failed. `mayMove`: by their own fault. Then the key is claimed for the
   * next one, so that all sessions of it go there. What a client may have provoked moves no key before it is accepted: a
   * stranger who knows an id must not take its owner from its home.
   */
  async next(mayMove: boolean): Promise<Candidate> {
    for (let may = mayMove; ; may = true) {
      if (this.#server !== null) this.#fail(this.#server);
      const { table, shared } = this.#route;
      const key = this.#key;
      let candidate: Candidate | null;
      if (table !== null && key !== null && !may) candidate = await this.#withoutClaim(key);
      else if (table !== null && shared && key !== null) candidate = await this.#askTable(table, key);
      else candidate = this.#fromPrimary(await this.#place(key, null));
      if (candidate !== null) return candidate;
    }
  }

  /**
   * The server accepted the client. `assigned`: the value to stick on that the broker's CONNACK brought, if any. Its
   * client learns it from there and may be back with it at once, at any worker: so the table knows it before the CONNACK
   * goes out, and that is what the answer is waited for. Null, for all others: it is over when it returns.
   */
  accepted(assigned: string | null): Promise<void> | null {
    const { table } = this.#route;
    const server = this.#server;
    if (table === null || server === null) return null;
    // A client that has a key of its own will come back with that.
    if (this.#key !== null) this.#confirm(table, this.#key, server);
    else if (assigned !== null) return this.#adopt(table, stickKey(assigned), server);
    return null;
  }

  #confirm(table: StickTable, key: string, server: string): void {
    const pin: Pin = { key, server, by: this.#by };
    this.#claim = null;
    this.stay.pinned(pin);
    void table.confirm(pin);
  }

  /**
   * The server has the client, but nobody saw it accept: one that authenticates through WebSocket frames that pass as they
   * are. It is not stuck: a stranger could fill the table with ids it has no right to. The server still counts it.
   */
  unconfirmed(): void {
    this.#giveClaimBack();
  }

  /** Nobody accepted the client: leaves no trace of it. */
  abandoned(): void {
    this.#giveClaimBack();
    this.#route.desk.free(this.#by.epoch);
  }

  #giveClaimBack(): void {
    const { table } = this.#route;
    // The primary may hold a claim of it too, even where the shared table knew better. Only a claim can be taken back.
    if (table !== null && this.#key !== null && (this.#claim !== null || this.#hasAsked)) {
      void table.abandon(this.#key, this.#by, this.#claim?.displaced ?? null);
    }
  }

  /** The answer does not matter: where the client is, it is. */
  async #adopt(table: StickTable, key: string, server: string): Promise<void> {
    await this.#claimFor(table, key, [server], server);
    this.#confirm(table, key, server);
  }

  #fail(server: string): void {
    this.#tried ??= new Set();
    this.#tried.add(server);
  }

  #place(key: string | null, want: string | null): Promise<Placed> {
    const { desk, view } = this.#route;
    if (key !== null) this.#hasAsked = true;
    return desk.place({
      session: this.#by.epoch,
      backend: view.config.name,
      key,
      source: this.#source,
      exclude: this.#tried === null ? NO_NAMES : [...this.#tried],
      want,
    });
  }

  /** Sessions of one key that fail beside each other find the same server, without writing anything. */
  async #withoutClaim(key: string): Promise<Candidate | null> {
    const placed = await this.#place(null, this.#route.view.agreed(key, this.#tried ?? NONE));
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    const isNew = this.#claim !== null && this.#claim.displaced === null;
    return this.#candidate(placed.server, isNew ? 'new' : 'moved', false);
  }

  /** The primary has found, claimed and counted in one step. */
  #fromPrimary(placed: Placed): Candidate | null {
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    const how = placed.stick === 'claimed' ? this.#claimed(placed.displaced) : howOf(placed.stick);
    return this.#candidate(placed.server, how, false);
  }

  async #askTable(table: StickTable, key: string): Promise<Candidate | null> {
    const usable = this.#route.view.usable(this.#tried ?? NONE);
    const look = await table.claim({ key, usable, candidate: null, by: this.#by });
    if (look.kind === 'held') return await this.#returning(table, key, look.server, look.degraded);
    const placed = look.degraded ? await this.#agreed(key) : await this.#place(key, null);
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    // The shared table may have lost the key where the primary remembers its home: that is claimed for it now.
    const isHome = placed.stick === 'held';
    return this.#settle(await this.#claimFor(table, key, usable, placed.server), placed.server, isHome);
  }

  /** A client that is in the table needs no word from the primary, but where its server counts its connections. */
  async #returning(table: StickTable, key: string, server: string, degraded: boolean): Promise<Candidate | null> {
    if (this.#route.view.target(server)?.config.maxconn === null) {
      this.#use(server);
      return this.#candidate(server, 'sticky', degraded);
    }
    const placed = await this.#place(key, server);
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    if (placed.server === server) return this.#candidate(server, 'sticky', degraded);
    // Its home is full: it moves.
    return this.#settle(await this.#claimFor(table, key, [placed.server], placed.server), placed.server);
  }

  #claimFor(table: StickTable, key: string, usable: readonly string[], candidate: string): Promise<ClaimAnswer> {
    return table.claim({ key, usable, candidate, by: this.#by });
  }

  /** Somebody else may have claimed the key meanwhile: then that is where it goes. */
  #settle(answer: ClaimAnswer, candidate: string, isHome = false): Candidate | null {
    const server = answer.kind === 'held' || answer.kind === 'claimed' ? answer.server : candidate;
    const how = answer.kind === 'claimed' ? this.#claimed(answer.displaced) : howOf(answer.kind);
    this.#use(server);
    return this.#candidate(server, isHome && how === 'new' ? 'sticky' : how, answer.degraded);
  }

  /** Where connections are counted, the primary says whether it is full. */
  async #agreed(key: string): Promise<Placed> {
    const server = this.#route.view.agreed(key, this.#tried ?? NONE);
    if (server === null) return { server, why: 'down' };
    if (this.#route.view.target(server)?.config.maxconn !== null) return await this.#place(null, server);
    return { server, stick: 'none', displaced: null };
  }

  /** The key goes back to whoever held it last: while this session tries, another one of its client may be accepted. */
  #claimed(displaced: string | null): How {
    if (this.#claim === null || displaced !== null) this.#claim = { displaced };
    return this.#claim.displaced === null ? 'new' : 'moved';
  }

  #use(server: string): void {
    this.#route.desk.use(this.#by.epoch, this.#route.view.config.name, server);
  }

  /** Null: it has gone down since it was chosen, which is as good as tried. */
  #candidate(server: string, how: How, degraded: boolean): Candidate | null {
    const { view } = this.#route;
    const target = view.target(server);
    // The configuration's own string: one that came in a message would be kept as long as the session.
    this.#server = target === null ? server : target.config.name;
    if (target === null) return this.#tried?.has(server) ? { kind: 'nobody', why: 'down' } : null;
    return { kind: 'server', target, choice: { backend: view.config.name, server: this.#server, how, degraded } };
  }
}

function howOf(stick: 'held' | 'none' | 'free' | 'full'): How {
  return stick === 'held' ? 'sticky' : 'none';
}
