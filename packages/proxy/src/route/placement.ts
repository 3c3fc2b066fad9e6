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

/**
 * One session's way through the table and the scheduler. next() gives the candidates in their order; then exactly one of
 * accepted(), unconfirmed() and abandoned() is called, and after one of the first two one release().
 */
export class Placement {
  readonly #route: Route;
  readonly #by: Claimant;
  readonly #source: string;
  #key: string | null;
  readonly #tried = new Set<string>();
  #server: string | null = null;
  /** What this session has claimed and not yet confirmed. */
  #claim: { readonly displaced: string | null } | null = null;
  #pin: Pin | null = null;
  /** The primary was asked for a server for the key. */
  #hasAsked = false;

  /** `value`: what to stick on, null for nothing. `session`: the worker's number of it. */
  constructor(route: Route, session: number, value: string | null, source: string) {
    this.#route = route;
    this.#by = { owner: route.owner, epoch: session };
    this.#source = source;
    this.#key = value === null || route.table === null ? null : stickKey(value);
  }

  /**
   * The next server to try; the ones before have failed. `mayMove`: by their own fault. Then the key is claimed for the
   * next one, so that all sessions of it go there. What a client may have provoked moves no key before it is accepted: a
   * stranger who knows an id must not take its owner from its home.
   */
  async next(mayMove: boolean): Promise<Candidate> {
    if (this.#server !== null) this.#tried.add(this.#server);
    const { table, shared } = this.#route;
    const key = this.#key;
    if (table !== null && key !== null && !mayMove) return await this.#withoutClaim(key);
    if (table !== null && shared && key !== null) return await this.#askTable(table, key);
    return await this.#fromPrimary(await this.#place(key, null));
  }

  /**
   * The server accepted the client. `assigned`: the value to stick on that the broker's CONNACK brought, if any. Its
   * client learns it from there and may be back with it at once, at any worker: so the table knows it before the CONNACK
   * goes out. For all others this is over when it returns.
   */
  async accepted(assigned: string | null): Promise<void> {
    const { table, pins } = this.#route;
    if (table === null || this.#server === null) return;
    // A client that has a key of its own will come back with that.
    if (this.#key === null && assigned !== null) await this.#adopt(table, stickKey(assigned), this.#server);
    if (this.#key === null) return;
    this.#pin = { key: this.#key, server: this.#server, by: this.#by };
    this.#claim = null;
    pins.add(this.#pin);
    void table.confirm(this.#pin);
  }

  /**
   * The server has the client, but nobody saw it accept: one that authenticates through WebSocket frames that pass as they
   * are. It is not stuck: a stranger could fill the table with ids it has no right to. The server still counts it.
   */
  async unconfirmed(): Promise<void> {
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

  /** The answer does not matter: where the client is, it is. */
  async #adopt(table: StickTable, key: string, server: string): Promise<void> {
    this.#key = key;
    await this.#claimFor(table, key, [server], server);
  }

  #place(key: string | null, want: string | null): Promise<Placed> {
    const { desk, view } = this.#route;
    if (key !== null) this.#hasAsked = true;
    return desk.place({
      session: this.#by.epoch,
      backend: view.config.name,
      key,
      source: this.#source,
      exclude: [...this.#tried],
      want,
    });
  }

  /** Sessions of one key that fail beside each other find the same server, without writing anything. */
  async #withoutClaim(key: string): Promise<Candidate> {
    const placed = await this.#place(null, this.#route.view.agreed(key, this.#tried));
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    const isNew = this.#claim !== null && this.#claim.displaced === null;
    return await this.#candidate(placed.server, isNew ? 'new' : 'moved', false);
  }

  /** The primary has found, claimed and counted in one step. */
  async #fromPrimary(placed: Placed): Promise<Candidate> {
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    const how = placed.stick === 'claimed' ? this.#claimed(placed.displaced) : howOf(placed.stick);
    return await this.#candidate(placed.server, how, false);
  }

  async #askTable(table: StickTable, key: string): Promise<Candidate> {
    const usable = this.#route.view.usable(this.#tried);
    const look = await table.claim({ key, usable, candidate: null, by: this.#by });
    if (look.kind === 'held') return await this.#returning(table, key, look.server, look.degraded);
    const placed = look.degraded ? await this.#agreed(key) : await this.#place(key, null);
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    // The shared table may have lost the key where the primary remembers its home: that is claimed for it now.
    const isHome = placed.stick === 'held';
    return await this.#settle(await this.#claimFor(table, key, usable, placed.server), placed.server, isHome);
  }

  /** A client that is in the table needs no word from the primary, but where its server counts its connections. */
  async #returning(table: StickTable, key: string, server: string, degraded: boolean): Promise<Candidate> {
    if (this.#route.view.target(server)?.config.maxconn === null) {
      this.#use(server);
      return await this.#candidate(server, 'sticky', degraded);
    }
    const placed = await this.#place(key, server);
    if (placed.server === null) return { kind: 'nobody', why: placed.why };
    if (placed.server === server) return await this.#candidate(server, 'sticky', degraded);
    // Its home is full: it moves.
    return await this.#settle(await this.#claimFor(table, key, [placed.server], placed.server), placed.server);
  }

  #claimFor(table: StickTable, key: string, usable: readonly string[], candidate: string): Promise<ClaimAnswer> {
    return table.claim({ key, usable, candidate, by: this.#by });
  }

  /** Somebody else may have claimed the key meanwhile: then that is where it goes. */
  async #settle(answer: ClaimAnswer, candidate: string, isHome = false): Promise<Candidate> {
    const server = answer.kind === 'held' || answer.kind === 'claimed' ? answer.server : candidate;
    const how = answer.kind === 'claimed' ? this.#claimed(answer.displaced) : howOf(answer.kind);
    this.#use(server);
    return await this.#candidate(server, isHome && how === 'new' ? 'sticky' : how, answer.degraded);
  }

  /** Where connections are counted, the primary says whether it is full. */
  async #agreed(key: string): Promise<Placed> {
    const server = this.#route.view.agreed(key, this.#tried);
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

  /** A server that has gone down since it was chosen is as good as tried. */
  async #candidate(server: string, how: How, degraded: boolean): Promise<Candidate> {
    this.#server = server;
    const target = this.#route.view.target(server);
    if (target === null) return this.#tried.has(server) ? { kind: 'nobody', why: 'down' } : await this.next(true);
    return { kind: 'server', target, choice: { backend: this.#route.view.config.name, server, how, degraded } };
  }
}

function howOf(stick: 'held' | 'none' | 'free' | 'full'): How {
  return stick === 'held' ? 'sticky' : 'none';
}
