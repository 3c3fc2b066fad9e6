import { bindScope } from '../../account/scope_names.ts';
import { bindKey } from '../../config/bind_key.ts';
import type { BackendConfig, BindConfig, Config, FrontendConfig, TlsBindConfig } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import { compileAccess } from '../../gate/access.ts';
import { CidrSet } from '../../gate/cidr.ts';
import { Door, type Room } from '../../gate/door.ts';
import { asksToConnect, asksToEnter, type GateAnswer } from '../../gate/gate_answer.ts';
import type { Entry } from '../../listen/entry.ts';
import { SILENT } from '../../log.ts';
import { compileRoutes, type RouteDecision, type RouteFacts } from '../../route/rules.ts';
import type { Inbound } from '../../stages.ts';
import { createTlsContexts, type TlsContexts } from '../../tls/contexts.ts';
import type { KeptCertificates, KeptTls } from '../../tls/kept.ts';
import { type StockChange, TlsStock } from '../../tls/stock.ts';
import type { TicketKeys } from '../../tls/tickets.ts';
import { tlsOfBinds } from '../certificates.ts';
import type { BindRef } from '../wire.ts';
import { Retiring } from './generations.ts';
import type { PrimaryLink } from './primary_link.ts';

/** What one worker makes of a frontend. */
interface OpenFrontend {
  config: FrontendConfig;
  readonly door: Door;
  decide: (facts: RouteFacts) => RouteDecision;
  /** Backends that want to be asked before a CONNECT goes to them. */
  paced: ReadonlySet<string>;
}

/** Beside the CONNECT itself: what frames add to it, and Pings between them. */
const FRAMES_BYTES = 128 * 1024;

/** The frontends of one worker: doors, rules, lists, certificates. */
export class Frontends {
  #config: Config;
  #isTakingOver = false;
  readonly #link: PrimaryLink;
  readonly #global: Room;
  readonly #onRoom: () => void;
  readonly #frontends: Retiring<OpenFrontend> = new Retiring(() => {});
  readonly #tls: TlsStock<TlsBindConfig, TlsContexts, KeptCertificates>;

  /** Empty; reconfigure() is to follow. `onRoom`: a frontend's listeners may go on. */
  constructor(config: Config, tickets: TicketKeys, link: PrimaryLink, global: Room, onRoom: () => void) {
    this.#config = config;
    this.#link = link;
    this.#global = global;
    this.#onRoom = onRoom;
    this.#tls = new TlsStock({ make: (tls, kept) => createTlsContexts(tls, tickets, SILENT, kept) });
  }

  /**
   * Reads the certificates of a configuration. Those that cannot be used now are as the primary has kept them.
   * @throws LimpetError TLS_*: nothing has changed
   */
  prepare(config: Config, kept: KeptTls['binds']): Promise<StockChange> {
    return this.#tls.prepare(tlsOfBinds(config), { given: new Map(kept) });
  }

  /** Goes over to a configuration, also the first one. A frontend that is gone lives on for those who came before. */
  reconfigure(config: Config, generation: number): void {
    this.#config = config;
    for (const frontend of config.frontends) {
      const paced = config.backends.filter(backend => asksToConnect(frontend, backend)).map(({ name }) => name);
      const terms = { config: frontend, decide: compileRoutes(frontend.routes), paced: new Set(paced) };
      const known = this.#frontends.get(frontend.name);
      known?.door.reconfigure(frontend, config.global.workers);
      this.#frontends.set(frontend.name, known === undefined ? this.#open(terms) : Object.assign(known, terms));
    }
    const names = new Set(config.frontends.map(({ name }) => name));
    this.#frontends.retireOthers(names, generation);
    // The primary counts them no more: should they come back, they lease what they have then.
    for (const { door, config: gone } of this.#frontends.all()) {
      if (!names.has(gone.name)) door.reconfigure({ ...gone, maxconn: null, connRate: null }, config.global.workers);
    }
  }

  /** Lets go of what no connection can use any more. */
  forget(oldest: number): void {
    this.#frontends.forget(oldest);
  }

  door(frontend: string): Door {
    return this.#of(frontend).door;
  }

  /** The primary's word may be about a frontend that is not in use here yet, or any more. */
  granted(frontend: string, count: number): void {
    this.#frontends.get(frontend)?.door.granted(count);
  }

  recall(frontend: string): void {
    this.#frontends.get(frontend)?.door.recall();
  }

  decide(frontend: string, facts: RouteFacts): RouteDecision {
    return this.#of(frontend).decide(facts);
  }

  /** The primary is (or no more) to be asked about every CONNECT. */
  takeOver(on: boolean): void {
    this.#isTakingOver = on;
  }

  /** Null: nothing limits it. */
  pace({ id, frontend, source }: Inbound, backend: string): Promise<GateAnswer> | null {
    if (!this.#isTakingOver && !this.#of(frontend.name).paced.has(backend)) return null;
    return this.#link.pace(id, frontend.name, source.address, backend);
  }

  /** Whether the primary is asked about a session of this frontend, or may be. */
  isGated(frontend: string): boolean {
    const { config, paced } = this.#of(frontend);
    return this.#isTakingOver || asksToEnter(config) || paced.size > 0;
  }

  /** Everything that arrivals at a bind need. */
  entry({ frontend: frontendName, place }: BindRef): Entry {
    const { config: frontend } = this.#of(frontendName);
    const bind = frontend.binds[place];
    if (bind === undefined) throw missing(`bind ${place} of ${frontendName}`);
    return {
      frontend,
      bind,
      bindScope: bindScope(frontend, place),
      trusted: new CidrSet(bind.acceptProxy),
      forwarders: new CidrSet(bind.websocket?.trustForwarded ?? []),
      access: compileAccess(frontend),
      tls: bind.tls === null ? null : this.#tls.get(bindKey(frontendName, place, bind)),
      recordBytes: this.#recordBytes(frontend, bind),
      enter: asksToEnter(frontend) ? (session, source) => this.#link.enter(session, frontend.name, source) : null,
      leave: session => this.#link.leave(session),
    };
  }

  close(): void {
    this.#tls.close();
  }

  #open(terms: Omit<OpenFrontend, 'door'>): OpenFrontend {
    const { name } = terms.config;
    const door = new Door(terms.config, this.#config.global.workers, this.#global, this.#link.lessor(name));
    door.onRoom(this.#onRoom);
    door.start();
    return { ...terms, door };
  }

  #recordBytes(frontend: FrontendConfig, bind: BindConfig): number | null {
    const names = new Set([frontend.defaultBackend]);
    for (const { action } of frontend.routes) if ('backend' in action) names.add(action.backend);
    const wantsFrames = (backend: BackendConfig): boolean =>
      backend.servers.some(({ websocket }) => websocket !== null);
    const isWanted = this.#config.backends.some(backend => names.has(backend.name) && wantsFrames(backend));
    return bind.websocket !== null && isWanted ? frontend.maxConnectSizeBytes + FRAMES_BYTES : null;
  }

  #of(frontend: string): OpenFrontend {
    const found = this.#frontends.get(frontend);
    if (found === undefined) throw missing(`frontend ${frontend}`);
    return found;
  }
}

function missing(what: string): LimpetError {
  const remedy = 'this is a bug of Limpet: a configuration is checked before it runs';
  return new LimpetError('NOT_CONFIGURED', `no ${what}`, remedy);
}
