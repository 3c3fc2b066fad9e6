import { ErrorGate } from '../account/error_ring.ts';
import { Registry } from '../account/registry.ts';
import type { ConnectError } from '../account/session_facts.ts';
import { SessionLog } from '../account/session_log.ts';
import { Tally } from '../account/tally.ts';
import { TimerWheel } from '../clock.ts';
import type { Config } from '../config/resolved.ts';
import { DepartureBoard } from '../dial/departures.ts';
import { readLocalPorts } from '../dial/local_ports.ts';
import { LimpetError } from '../errors.ts';
import type { GateAnswer } from '../gate/gate_answer.ts';
import { Admission } from '../listen/admission.ts';
import { type Places, placesOfThisProcess } from '../listen/descriptors.ts';
import { Fullness } from '../listen/fullness.ts';
import { leaseBlock } from '../listen/leases.ts';
import type { ListenHandle } from '../listen/listener.ts';
import { createLog, type Log } from '../log.ts';
import type { Engine } from '../native/engine.ts';
import { PrereadPool } from '../preread_pool.ts';
import type { Relays } from '../relay/relays.ts';
import type { RouteDecision, RouteFacts } from '../route/rules.ts';
import type { Inbound, StopReason } from '../stages.ts';
import { HandshakeGate } from '../tls/handshake_gate.ts';
import type { KeptTls } from '../tls/kept.ts';
import { readRing } from '../tls/ticket_ring.ts';
import { TicketKeys } from '../tls/tickets.ts';
import type { LiveSession, SessionRoute, Workshop } from '../workshop.ts';
import { Frontends } from './frontends.ts';
import { Generations } from './generations.ts';
import { Listeners, type ListenersEvents } from './listeners.ts';
import { openMover } from './mover.ts';
import type { PrimaryLink } from './primary_link.ts';
import { Reception } from './reception.ts';
import { Reports } from './reports.ts';
import { Routes } from './routes.ts';
import { SessionOrders } from './session_orders.ts';
import type { BindRef, ToWorker } from './wire.ts';

/** How long a worker accepts nobody when it has no descriptors left. */
const STARVED_PAUSE_MS = 1000;

/** What the primary gives a worker to start with. */
interface Given {
  readonly binds: readonly BindRef[];
  readonly kept: KeptTls;
}

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
  readonly #orders: SessionOrders;
  readonly #fullness: Fullness;
  /** What is done one after the other: the start, and each reload. */
  #turn: Promise<void>;
  #draining = false;
  /** It could not take a configuration over, and is replaced. */
  #isBehind = false;
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
    this.#orders = new SessionOrders(this.registry, link, (...what) => this.#routes.renew(...what));
    this.#reception = new Reception({
      workshop: this,
      frontends: this.#frontends,
      generations: this.#generations,
      link,
      entered: () => {
        if (this.#admission.isFull) this.#listeners.pause();
        this.#lookWhetherFull();
      },
      left: lastOfItsTime => {
        this.#lookWhetherFull();
        if (lastOfItsTime) this.#forget();
        this.#leaveIfOver();
      },
    });
    const events: ListenersEvents = {
      accepted: (client, entry) => this.#reception.accept(client, entry),
      acceptedAnyway: (client, entry) => this.#reception.acceptAnyway(client, entry),
      room: ({ frontend }) => this.#frontends.door(frontend.name).room,
      isFull: () => this.#admission.isFull,
      starved: code => this.starved(code),
      wantsHandle: index => link.say(['bind', index]),
    };
    this.#listeners = new Listeners(events, this.engine);
    this.#listeners.want(given.binds);
    this.#reports = new Reports(this.wheel, this.tally, link, () => mover.settle());
    // A rejection ends the worker, with its reason.
    this.#turn = this.#take(config, given).then(() => link.say(['ready']));
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

  hear(message: ToWorker): void {
    switch (message[0]) {
      case 'view':
        this.#orders.viewed(message[1], this.#routes.update(message[1], message[2]));
        break;
      case 'evict':
        this.#orders.evict(message);
        break;
      case 'answer':
        this.#link.answered(message[1], message[2]);
        break;
      case 'placed':
        this.#link.placed(message[1], { server: message[2], stick: message[3], displaced: message[4] });
        break;
      case 'nobody':
        this.#link.placed(message[1], { server: null, why: message[2] });
        break;
      case 'lease':
        this.#leased(message[1], message[2]);
        break;
      case 'recall':
        if (message[1] === null) this.#admission.recall();
        else this.#frontends.recall(message[1]);
        break;
      case 'config':
        this.#reconfigure(message[1], message[2], { binds: message[3], kept: message[4] });
        break;
      case 'binds':
        this.#rebind(message[1]);
        break;
      case 'tickets':
        this.#tickets.setKeys(readRing(message[1]) ?? []);
        break;
      case 'reopen':
        this.#lines.reopen();
        break;
      case 'hold':
        this.#listeners.hold(message[1]);
        if (message[1]) this.#link.say(['held']);
        break;
      case 'drain':
        this.#drain();
        break;
      case 'ask':
        void this.#orders.answer(message[1], message[2]);
        break;
      case 'close':
        this.#stopAll('shutdown');
        break;
      case 'standby':
        void this.#reception.standBy(message[1]).then(() => this.#link.say(['stood_by']));
        break;
      case 'takeover':
        this.#frontends.takeOver(message[1]);
        break;
      case 'start':
        break;
    }
  }

  /** The primary's socket of a bind: listens on it. */
  listen(index: number, handle: ListenHandle): void {
    this.#listeners.listen(index, handle);
  }

  /** Goes over to another configuration, and says so. One that cannot be taken over leaves everything as it was. */
  #reconfigure(generation: number, config: Config, given: Given): void {
    if (!this.#draining) this.#listeners.want(given.binds);
    this.#turn = this.#turn
      .then(() => this.#take(config, given))
      .then(
        () => this.#link.say(['configured', generation, null]),
        error => {
          this.#isBehind = true;
          this.#link.say(['configured', generation, error instanceof Error ? error.message : String(error)]);
        },
      );
  }

  /** Another worker is full, or has room again. New ones are of the configuration that was told before: so they wait for it. */
  #rebind(binds: readonly BindRef[]): void {
    if (this.#draining) return;
    this.#listeners.want(binds);
    this.#turn = this.#turn.then(() => {
      if (!this.#isBehind) this.#listenOn(binds);
    });
  }

  #listenOn(binds: readonly BindRef[]): void {
    if (!this.#draining) for (const bind of binds) this.#listeners.set(bind, this.#frontends.entry(bind));
  }

  /** Everything is read before anything changes; then it changes in one turn; then new binds listen. */
  async #take(config: Config, { binds, kept }: Given): Promise<void> {
    const servers = await this.#routes.prepare(config, kept.servers);
    const certificates = await this.#frontends.prepare(config, kept.binds).catch((error: unknown) => {
      servers.abort();
      throw error;
    });
    servers.commit();
    certificates.commit();
    const before = this.#generations.advance();
    this.#setLimits(config);
    this.#routes.reconfigure(config, before);
    this.#frontends.reconfigure(config, before);
    this.tally.forget();
    this.#listenOn(binds);
    this.#forget();
    await this.#listeners.opened().catch((error: unknown) => this.#cannotListen(error));
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

  /** What a reload has taken away, and the last one who could use it has left. */
  #forget(): void {
    const { oldest } = this.#generations;
    this.#routes.forget(oldest);
    this.#frontends.forget(oldest);
  }

  #leased(count: number, frontend: string | null): void {
    if (frontend === null) this.#admission.granted(count);
    else this.#frontends.granted(frontend, count);
  }

  #cannotListen(error: unknown): never {
    const what = error instanceof Error ? error.message : String(error);
    const remedy = 'see whether another program has the port';
    throw new LimpetError('BIND_FAILED', `worker ${this.name} cannot listen: ${what}`, remedy);
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

  #stopAll(reason: StopReason): void {
    this.#reception.stop();
    for (const session of this.registry.all()) session.stop(reason);
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
}
