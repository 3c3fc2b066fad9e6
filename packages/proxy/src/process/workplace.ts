import type { Socket } from 'node:net';
import { Registry } from '../account/registry.ts';
import { SessionLog } from '../account/session_log.ts';
import { TimerWheel } from '../clock.ts';
import type { Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { GateAnswer } from '../gate/gate_answer.ts';
import { Admission } from '../listen/admission.ts';
import { Arrival, type Arrived, type Entry } from '../listen/arrival.ts';
import { sessionsOfThisProcess } from '../listen/descriptors.ts';
import { leaseBlock } from '../listen/leases.ts';
import { Listener, type ListenHandle } from '../listen/listener.ts';
import { createLog, type Log } from '../log.ts';
import { PrereadPool } from '../preread_pool.ts';
import type { RouteDecision, RouteFacts } from '../route/rules.ts';
import { Session } from '../session.ts';
import type { Inbound, StopReason } from '../stages.ts';
import { TcpSession } from '../tcp_session.ts';
import { HandshakeGate } from '../tls/handshake_gate.ts';
import type { KeptTls } from '../tls/kept.ts';
import { readRing } from '../tls/ticket_ring.ts';
import { TicketKeys } from '../tls/tickets.ts';
import type { LiveSession, SessionRoute, Workshop } from '../workshop.ts';
import { Frontends } from './frontends.ts';
import type { PrimaryLink } from './primary_link.ts';
import { Routes } from './routes.ts';
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
  readonly handshakes: HandshakeGate;
  readonly log: SessionLog;
  readonly registry: Registry<LiveSession> = new Registry();
  readonly #link: PrimaryLink;
  readonly #lines: Log;
  readonly #admission: Admission;
  readonly #routes: Routes;
  readonly #frontends: Frontends;
  readonly #tickets: TicketKeys;
  readonly #listeners = new Map<number, Listener>();
  readonly #arrivals = new Set<Arrival>();
  #awaited: number;
  /** From the clock, so that no session of an earlier run bears the same number in the stick table. */
  #sessions: number = Date.now();
  #draining = false;
  #starvedUntilMs = 0;

  constructor(config: Config, name: string, given: Given, link: PrimaryLink) {
    this.name = name;
    this.#link = link;
    this.#lines = createLog(config.global.log, name);
    const { maxconn, workers, prereadMemoryBytes, tls } = config.global;
    this.pool = new PrereadPool(Math.floor(prereadMemoryBytes / workers));
    this.handshakes = new HandshakeGate({ most: tls.maxHandshakes, queue: tls.handshakeQueue });
    this.log = new SessionLog(this.#lines, config.global.log.usernames, (...names) => this.registry.counts(...names));
    const limits = { block: leaseBlock(maxconn, workers), most: sessionsOfThisProcess() };
    this.#admission = new Admission(link.lessor(null), limits);
    this.#admission.onRoom(() => this.#resume());
    this.#admission.start();
    this.#routes = new Routes(config, name, link, this.#lines);
    this.#frontends = new Frontends(config, link, this.#admission);
    this.#tickets = new TicketKeys();
    this.#awaited = given.binds.length;
    void this.#start(given);
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

  /** libuv closes the clients that it has no descriptor for, and tells nobody: so the first dial that finds none tells. */
  starved(code: string): void {
    if (this.#starvedUntilMs > this.wheel.now) return;
    this.#starvedUntilMs = this.wheel.now + STARVED_PAUSE_MS;
    for (const listener of this.#listeners.values()) listener.pause();
    this.wheel.after(STARVED_PAUSE_MS, () => this.#resume());
    this.#lines.error('starved', { code }, `no file descriptors left (${code}): accepting pauses for a second`);
  }

  hear(message: ToWorker): void {
    switch (message[0]) {
      case 'view':
        for (const server of this.#routes.update(message[1], message[2])) this.#fell(message[1], server);
        break;
      case 'answer':
        this.#link.answered(message[1], message[2]);
        break;
      case 'lease':
        this.#leased(message[1], message[2]);
        break;
      case 'recall':
        if (message[1] === null) this.#admission.recall();
        else this.#frontends.door(message[1]).recall();
        break;
      case 'tickets':
        this.#tickets.setKeys(readRing(message[1]) ?? []);
        break;
      case 'drain':
        this.#drain();
        break;
      case 'close':
        this.#stopAll('shutdown');
        break;
      case 'start':
        break;
    }
  }

  /** The primary's socket of a bind: listens on it. */
  listen(index: number, handle: ListenHandle): void {
    const listener = this.#listeners.get(index);
    if (listener === undefined) return;
    listener.start(handle).then(
      () => this.#listens(),
      error => this.#cannotListen(index, error),
    );
  }

  /** Certificates are read before the first client is accepted. A rejection ends the worker, with its reason. */
  async #start({ binds, kept }: Given): Promise<void> {
    await this.#routes.start(kept.servers);
    for (const bind of binds) {
      this.#open(bind.index, await this.#frontends.entry(bind, this.#tickets, kept.binds));
    }
  }

  #open(index: number, entry: Entry): void {
    const door = this.#frontends.door(entry.frontend.name);
    const listener = new Listener({
      accepted: socket => this.#accept(socket, entry),
      isFull: () => this.#admission.isFull,
      starved: code => this.starved(code),
      wantsHandle: () => this.#link.say(['bind', index]),
    });
    this.#listeners.set(index, listener);
    door.onRoom(() => this.#resume());
    this.#link.say(['bind', index]);
  }

  #resume(): void {
    for (const listener of this.#listeners.values()) listener.resume();
  }

  #leased(count: number, frontend: string | null): void {
    if (frontend === null) this.#admission.granted(count);
    else this.#frontends.door(frontend).granted(count);
  }

  #listens(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#link.say(['ready']);
  }

  #cannotListen(index: number, error: unknown): void {
    const bind = [...this.#listeners.keys()].indexOf(index);
    const what = error instanceof Error ? error.message : String(error);
    throw new LimpetError(
      'BIND_FAILED',
      `worker ${this.name} cannot listen on bind ${bind}: ${what}`,
      'see whether another program has the port',
    );
  }

  #accept(socket: Socket, entry: Entry): boolean {
    const door = this.#frontends.door(entry.frontend.name);
    if (!door.enter()) return false;
    this.#sessions += 1;
    const id = this.#sessions;
    const arrival = new Arrival(socket, id, entry, this);
    this.#arrivals.add(arrival);
    const served = arrival
      .run(() => door.answered())
      .then(arrived => {
        const serving = this.#serve(arrived);
        // Not before its session is registered: a worker that drains leaves when it has neither.
        this.#arrivals.delete(arrival);
        return serving;
      });
    void served.finally(() => {
      door.leave();
      if (this.#frontends.isGated(entry.frontend.name)) this.#link.leave(id);
      this.#leaveIfOver();
    });
    if (this.#admission.isFull) for (const listener of this.#listeners.values()) listener.pause();
    return true;
  }

  readonly #serve = async (arrived: Arrived): Promise<void> => {
    if (arrived.kind === 'refused') {
      const { who, reason, detail } = arrived;
      const refused = { reason, detail, answer: null, server: null, retries: 0 };
      this.log.refused(who, null, who.frontend.defaultBackend, refused);
    }
    if (arrived.kind !== 'in') return;
    const { inbound } = arrived;
    await (inbound.frontend.mode === 'tcp' ? new TcpSession(inbound, this) : new Session(inbound, this)).run();
  };

  #fell(backend: string, server: string): void {
    for (const session of this.registry.at(backend, server)) session.serverFell();
  }

  #drain(): void {
    this.#draining = true;
    for (const listener of this.#listeners.values()) listener.close();
    this.#leaveIfOver();
  }

  #leaveIfOver(): void {
    if (this.#draining && this.registry.size === 0 && this.#arrivals.size === 0) void this.#leave();
  }

  #stopAll(reason: StopReason): void {
    for (const arrival of this.#arrivals) arrival.stop();
    for (const session of this.registry.all()) session.stop(reason);
  }

  /** Says the last words to the table, the primary and the log, and ends the process. */
  async #leave(): Promise<void> {
    this.#frontends.close();
    await this.#routes.close();
    this.wheel.close();
    this.#link.flush();
    await this.#lines.flush();
    process.disconnect();
  }
}
