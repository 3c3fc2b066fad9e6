import { ErrorGate } from '../../account/error_ring.ts';
import { Registry } from '../../account/registry.ts';
import type { ConnectError } from '../../account/session_facts.ts';
import { SessionLog } from '../../account/session_log.ts';
import { Tally } from '../../account/tally.ts';
import { TimerWheel } from '../../clock.ts';
import type { Config } from '../../config/resolved.ts';
import { DepartureBoard } from '../../dial/departures.ts';
import { readLocalPorts } from '../../dial/local_ports.ts';
import type { GateAnswer } from '../../gate/gate_answer.ts';
import { Admission } from '../../listen/admission.ts';
import { type Places, placesOfThisProcess } from '../../listen/descriptors.ts';
import { Fullness } from '../../listen/fullness.ts';
import { leaseBlock } from '../../listen/leases.ts';
import type { ListenHandle } from '../../listen/listener.ts';
import { createLog, type Log } from '../../log.ts';
import type { Engine } from '../../native/engine.ts';
import { PrereadPool } from '../../preread_pool.ts';
import type { Relays } from '../../relay/relays.ts';
import type { RouteDecision, RouteFacts } from '../../route/rules.ts';
import type { Inbound } from '../../stages.ts';
import { HandshakeGate } from '../../tls/handshake_gate.ts';
import { TicketKeys } from '../../tls/tickets.ts';
import type { LiveSession, SessionRoute, Workshop } from '../../workshop.ts';
import { Adoption, type Given } from './adoption.ts';
import { Frontends } from './frontends.ts';
import { Generations } from './generations.ts';
import { type Heard, Hearing } from './hearing.ts';
import { Listeners, type ListenersEvents } from './listeners.ts';
import { openMover } from './mover.ts';
import type { PrimaryLink } from './primary_link.ts';
import { Reception } from './reception.ts';
import { Reports } from './reports.ts';
import { Routes } from './routes.ts';
import { SessionOrders } from './session_orders.ts';

/** How long a worker accepts nobody when it has no descriptors left. */
const STARVED_PAUSE_MS = 1000;

/** Everything that one worker has: listeners, routes, sessions. It lives as long as the process. */
export class Workplace implements Workshop {
  readonly name: string;
  readonly wheel: TimerWheel = new TimerWheel();
  readonly pool: PrereadPool;
  readonly departures: DepartureBoard;
  readonly engine: Engine | null;
  readonly relays: Relays;
  readonly handshakes: HandshakeGate;
  readonly log: SessionLog;
  readonly registry: Registry<LiveSession> = new Registry();
  readonly tally: Tally = new Tally();
  readonly usernames: boolean;
  readonly #badConnects: ErrorGate = new ErrorGate();
  readonly #link: PrimaryLink;
  readonly #lines: Log;
  /** What this process has descriptors for. */
  #places: Places;
  readonly #admission: Admission;
  readonly #routes: Routes;
  readonly #frontends: Frontends;
  readonly #tickets: TicketKeys;
  readonly #listeners: Listeners;
  readonly #generations: Generations = new Generations();
  readonly #reception: Reception;
  readonly #reports: Reports;
  readonly #adoption: Adoption;
  readonly #hearing: Hearing;
  readonly #fullness: Fullness;
  #draining = false;
  #leaving: Promise<void> | null = null;
  #starvedUntilMs = 0;

  constructor(config: Config, name: string, given: Given & { readonly slot: number }, link: PrimaryLink) {
    this.name = name;
    this.#link = link;
    this.#lines = createLog(config.global.log, name, 'stdout');
    const { maxconn, workers, prereadMemoryBytes, tls } = config.global;
    this.pool = new PrereadPool(Math.floor(prereadMemoryBytes / workers));
    this.departures = new DepartureBoard(readLocalPorts(), given.slot, workers);
    const mover = openMover(config.global, given.slot, this.wheel);
    this.engine = mover.engine;
    this.relays = mover.relays;
    this.handshakes = new HandshakeGate({ most: tls.maxHandshakes, queue: tls.handshakeQueue });
    this.#tickets = new TicketKeys();
    this.usernames = config.global.log.usernames;
    this.log = new SessionLog(this.#lines, config.global.log.usernames, (...names) => this.registry.counts(...names));
    const onRoom = (): void => this.#listeners.resume();
    this.#places = placesOfThisProcess(config);
    this.#fullness = new Fullness(isFull => link.say(['full', isFull]));
    const limits = { block: leaseBlock(maxconn, workers), ...this.#places };
    this.#admission = new Admission(link.lessor(null), limits);
    this.#admission.onRoom(onRoom);
    this.#admission.start();
    this.#routes = new Routes(config, name, link, this.#lines);
    this.#frontends = new Frontends(config, this.#tickets, link, this.#admission, onRoom);
    this.#reception = this.#makeReception();
    this.#listeners = this.#makeListeners();
    this.#reports = new Reports(this.wheel, this.tally, link, () => mover.settle());
    this.#adoption = this.#makeAdoption();
    this.#hearing = this.#makeHearing();
    this.#adoption.begin(config, given);
  }

  routeOf(backend: string): SessionRoute {
    return this.#routes.of(backend);
  }

  decide(frontend: string, facts: RouteFacts): RouteDecision {
    return this.#frontends.decide(frontend, facts);
  }

  pace(inbound: Inbound, backend: string): Promise<GateAnswer> | null {
    return this.#frontends.pace(inbound, backend);
  }

  leavePace(inbound: Inbound): void {
    this.#link.leave(inbound.id);
  }

  badConnect(error: ConnectError): void {
    if (this.#badConnects.pass(performance.now())) this.#link.mention(['bad_connect', error]);
  }

  /** libuv closes the clients that it has no descriptor for, and tells nobody: so the first dial that finds none tells. */
  starved(code: string): void {
    if (this.#starvedUntilMs > this.wheel.now) return;
    this.#starvedUntilMs = this.wheel.now + STARVED_PAUSE_MS;
    this.#listeners.pause();
    this.wheel.after(STARVED_PAUSE_MS, () => this.#listeners.resume());
    this.#lines.error('starved', { code }, `no file descriptors left (${code}): accepting pauses for a second`);
  }

  hear(message: Heard): void {
    this.#hearing.hear(message);
  }

  /** The primary's socket of a bind: listens on it. */
  listen(index: number, handle: ListenHandle): void {
    this.#listeners.listen(index, handle);
  }

  #setLimits(config: Config): void {
    const { maxconn, workers, prereadMemoryBytes, tls } = config.global;
    this.#places = placesOfThisProcess(config);
    this.pool.setLimit(Math.floor(prereadMemoryBytes / workers));
    this.departures.reconfigure(workers);
    this.handshakes.reconfigure({ most: tls.maxHandshakes, queue: tls.handshakeQueue });
    this.#admission.reconfigure({ block: leaseBlock(maxconn, workers), ...this.#places });
    this.#lookWhetherFull();
  }

  #lookWhetherFull(): void {
    this.#fullness.look(this.#admission.used, this.#places.most);
  }

  #drain(): void {
    this.#draining = true;
    this.#listeners.close();
    this.#leaveIfOver();
  }

  #leaveIfOver(): void {
    if (!this.#draining || this.registry.size > 0 || this.#reception.arriving > 0) return;
    // Once: those who end together, and a second `drain`, all come by here.
    this.#leaving ??= this.#leave();
  }

  #stopAll(): void {
    this.#reception.stop();
    for (const session of this.registry.all()) session.stop('shutdown');
  }

  /** Says the last words to the table, the primary and the log, and ends the process. */
  async #leave(): Promise<void> {
    this.#frontends.close();
    await this.#routes.close();
    this.wheel.close();
    this.#reports.end();
    this.engine?.shutDown();
    this.#link.flush();
    await this.#lines.flush();
    process.disconnect();
  }

  #makeReception(): Reception {
    return new Reception({
      workshop: this,
      frontends: this.#frontends,
      generations: this.#generations,
      link: this.#link,
      entered: () => {
        if (this.#admission.isFull) this.#listeners.pause();
        this.#lookWhetherFull();
      },
      left: lastOfItsTime => {
        this.#lookWhetherFull();
        if (lastOfItsTime) this.#adoption.forget();
        this.#leaveIfOver();
      },
    });
  }

  #makeListeners(): Listeners {
    const events: ListenersEvents = {
      accepted: (client, entry) => this.#reception.accept(client, entry),
      acceptedAnyway: (client, entry) => this.#reception.acceptAnyway(client, entry),
      room: ({ frontend }) => this.#frontends.door(frontend.name).room,
      isFull: () => this.#admission.isFull,
      starved: code => this.starved(code),
      wantsHandle: index => this.#link.say(['bind', index]),
    };
    return new Listeners(events, this.engine);
  }

  #makeAdoption(): Adoption {
    return new Adoption({
      name: this.name,
      link: this.#link,
      routes: this.#routes,
      frontends: this.#frontends,
      generations: this.#generations,
      listeners: this.#listeners,
      tally: this.tally,
      setLimits: config => this.#setLimits(config),
      isDraining: () => this.#draining,
    });
  }

  #makeHearing(): Hearing {
    return new Hearing({
      link: this.#link,
      lines: this.#lines,
      admission: this.#admission,
      routes: this.#routes,
      frontends: this.#frontends,
      tickets: this.#tickets,
      listeners: this.#listeners,
      reception: this.#reception,
      orders: new SessionOrders(this.registry, this.#link, (...what) => this.#routes.renew(...what)),
      reconfigure: (...what) => this.#adoption.reconfigure(...what),
      rebind: binds => this.#adoption.rebind(binds),
      drain: () => this.#drain(),
      stopAll: () => this.#stopAll(),
    });
  }
}
