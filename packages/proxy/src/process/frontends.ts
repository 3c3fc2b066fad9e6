import type { BackendConfig, BindConfig, Config, FrontendConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { compileAccess } from '../gate/access.ts';
import { CidrSet } from '../gate/cidr.ts';
import { Door, type Room } from '../gate/door.ts';
import { asksToConnect, asksToEnter, type GateAnswer } from '../gate/gate_answer.ts';
import type { Entry } from '../listen/arrival.ts';
import { SILENT } from '../log.ts';
import { compileRoutes, type RouteDecision, type RouteFacts } from '../route/rules.ts';
import type { Inbound } from '../stages.ts';
import { createTlsContexts, type TlsContexts } from '../tls/contexts.ts';
import type { KeptTls } from '../tls/kept.ts';
import type { TicketKeys } from '../tls/tickets.ts';
import type { PrimaryLink } from './primary_link.ts';
import type { BindRef } from './wire.ts';

/** What one worker makes of a frontend. */
interface OpenFrontend {
  readonly config: FrontendConfig;
  readonly door: Door;
  readonly decide: (facts: RouteFacts) => RouteDecision;
  /** Backends that want to be asked before a CONNECT goes to them. */
  readonly paced: ReadonlySet<string>;
}

/** Beside the CONNECT itself: what frames add to it, and Pings between them. */
const FRAMES_BYTES = 128 * 1024;

/** The frontends of one worker: doors, rules, lists, certificates. */
export class Frontends {
  readonly #config: Config;
  readonly #link: PrimaryLink;
  readonly #frontends = new Map<string, OpenFrontend>();
  readonly #contexts: TlsContexts[] = [];

  constructor(config: Config, link: PrimaryLink, global: Room) {
    this.#config = config;
    this.#link = link;
    for (const frontend of config.frontends) {
      const door = new Door(frontend, config.global.workers, global, link.lessor(frontend.name));
      const paced = config.backends.filter(backend => asksToConnect(frontend, backend)).map(({ name }) => name);
      const decide = compileRoutes(frontend.routes);
      this.#frontends.set(frontend.name, { config: frontend, door, decide, paced: new Set(paced) });
      door.start();
    }
  }

  door(frontend: string): Door {
    return this.#of(frontend).door;
  }

  decide(frontend: string, facts: RouteFacts): RouteDecision {
    return this.#of(frontend).decide(facts);
  }

  /** Null: nothing limits it. */
  pace({ id, frontend, source }: Inbound, backend: string): Promise<GateAnswer> | null {
    if (!this.#of(frontend.name).paced.has(backend)) return null;
    return this.#link.pace(id, frontend.name, source.address, backend);
  }

  /** Whether the primary was asked about this session, or may have been. */
  isGated(frontend: string): boolean {
    const { config, paced } = this.#of(frontend);
    return asksToEnter(config) || paced.size > 0;
  }

  /**
   * Everything that arrivals at a bind need. Certificates that cannot be used now are as the primary has kept them.
   * @throws LimpetError TLS_*
   */
  async entry({ frontend: frontendName, place }: BindRef, tickets: TicketKeys, kept: KeptTls['binds']): Promise<Entry> {
    const { config: frontend } = this.#of(frontendName);
    const bind = frontend.binds[place];
    if (bind === undefined) throw missing(`bind ${place} of ${frontendName}`);
    const before = new Map(kept).get(`${frontendName}/${place}`) ?? null;
    const tls = bind.tls === null ? null : await createTlsContexts(bind.tls, tickets, SILENT, before);
    if (tls !== null) this.#contexts.push(tls);
    return {
      frontend,
      bind,
      trusted: new CidrSet(bind.acceptProxy),
      forwarders: new CidrSet(bind.websocket?.trustForwarded ?? []),
      access: compileAccess(frontend),
      tls,
      recordBytes: this.#recordBytes(frontend, bind),
      enter: asksToEnter(frontend) ? (session, source) => this.#link.enter(session, frontend.name, source) : null,
      leave: session => this.#link.leave(session),
    };
  }

  close(): void {
    for (const contexts of this.#contexts) contexts.close();
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
