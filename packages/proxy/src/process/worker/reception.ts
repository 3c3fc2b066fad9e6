import { setImmediate as turn } from 'node:timers/promises';
import type { Door } from '../../gate/door.ts';
import type { Accepted } from '../../listen/accepted.ts';
import { Arrival, type Arrived } from '../../listen/arrival.ts';
import type { Entry } from '../../listen/entry.ts';
import { Session } from '../../session.ts';
import type { Inbound } from '../../stages.ts';
import { TcpSession } from '../../tcp_session.ts';
import type { HandshakeGate } from '../../tls/handshake_gate.ts';
import type { LiveSession, Workshop } from '../../workshop.ts';
import type { Frontends } from './frontends.ts';
import type { Generations } from './generations.ts';
import { Guest, type GuestHost } from './guest.ts';
import type { PrimaryLink } from './primary_link.ts';

/** What the reception asks of the worker it is in. */
export interface ReceptionPlace {
  readonly workshop: Workshop & { readonly handshakes: HandshakeGate };
  readonly frontends: Frontends;
  readonly generations: Generations;
  readonly link: PrimaryLink;
  /** A connection was let in. */
  entered(): void;
  /** A connection has ended; `lastOfItsTime`: what a reload took away may go. */
  left(lastOfItsTime: boolean): void;
}

/** So long the event loop is held at a time: some 3,000 connections. They have little time, and others can wait. */
const SLICE_MS = 100;

/** Receives each connection of one worker, and sees it off at its end. Between the two it is a session in the registry. */
export class Reception implements GuestHost {
  readonly #place: ReceptionPlace;
  readonly #arrivals = new Map<LiveSession, Arrival>();
  /** From the clock, so that no session of an earlier run bears the same number in the stick table. */
  #sessions: number = Date.now();

  constructor(place: ReceptionPlace) {
    this.#place = place;
  }

  /** Connections that are not yet sessions. */
  get arriving(): number {
    return this.#arrivals.size;
  }

  /** False: there is no room. */
  accept(accepted: Accepted, entry: Entry): boolean {
    const door = this.#place.frontends.door(entry.frontend.name);
    if (!door.enter()) return false;
    this.#begin(accepted, entry, door);
    return true;
  }

  /** The same where there is no room: its listener closes, and there is nobody else to turn to. */
  acceptAnyway(accepted: Accepted, entry: Entry): void {
    const door = this.#place.frontends.door(entry.frontend.name);
    door.enterAnyway();
    this.#begin(accepted, entry, door);
  }

  /** Ends all that are not yet sessions. */
  stop(): void {
    for (const arrival of this.#arrivals.values()) arrival.stop();
  }

  /**
   * Resets all that came to one of these addresses of this host, whatever a PROXY header says of their destination.
   * Resolves when it is done.
   */
  async standBy(addresses: readonly string[]): Promise<void> {
    const leaving = new Set(addresses);
    let sinceMs = performance.now();
    for (const session of [...this.#arrivals.keys(), ...this.#place.workshop.registry.all()]) {
      if (leaving.has(session.localAddress)) this.#reset(session);
      if (performance.now() - sinceMs < SLICE_MS) continue;
      await turn();
      sinceMs = performance.now();
    }
  }

  /** For guests only: everything of it is closed. */
  left(guest: Guest): void {
    const { frontends, generations, link, workshop } = this.#place;
    workshop.registry.remove(guest);
    guest.entrance.session(-1);
    guest.door.leave();
    // By a reload it may have become one that is asked about, or have been one.
    if (guest.isGated || frontends.isGated(guest.frontend)) link.leave(guest.id);
    this.#place.left(generations.leave(guest.generation));
  }

  #reset(session: LiveSession): void {
    const arrival = this.#arrivals.get(session);
    if (arrival === undefined) session.stop('standby');
    else arrival.stop(true);
  }

  #begin(accepted: Accepted, entry: Entry, door: Door): void {
    const { frontends, generations, workshop } = this.#place;
    const { name: frontend } = entry.frontend;
    this.#sessions += 1;
    const id = this.#sessions;
    const entrance = workshop.tally.entrance(entry);
    entrance.count('connections');
    entrance.session(1);
    const localAddress = withoutZone(accepted.destination.address);
    const isGated = frontends.isGated(frontend);
    const generation = generations.enter();
    const guest = new Guest({ id, frontend, localAddress, door, entrance, generation, isGated }, this);
    this.#place.entered();
    const arrival = new Arrival(accepted, id, entry, workshop);
    const inbound = arrival.atOnce();
    if (inbound === null) {
      this.#arrivals.set(guest, arrival);
      void arrival.run(() => door.answered()).then(arrived => this.#arrived(arrived, guest));
    } else {
      door.answered();
      this.#serve(inbound, guest);
    }
  }

  #serve(inbound: Inbound, guest: Guest): void {
    const { workshop } = this.#place;
    workshop.registry.add(guest);
    const Kind = inbound.frontend.mode === 'tcp' ? TcpSession : Session;
    void new Kind(guest, inbound, workshop).run();
  }

  #arrived(arrived: Arrived, guest: Guest): void {
    const { workshop } = this.#place;
    if (arrived.kind === 'in') this.#serve(arrived.inbound, guest);
    // Not before its session is registered: a worker that drains leaves when it has neither.
    this.#arrivals.delete(guest);
    if (arrived.kind === 'in') return;
    if (arrived.kind === 'refused') {
      const { who, reason, detail } = arrived;
      const refused = { reason, detail, answer: null, server: null, retries: 0 };
      workshop.log.refused(who, null, who.frontend.defaultBackend, refused);
      workshop.tally.refused(who, reason, who.frontend.defaultBackend, null);
    }
    guest.over();
  }
}

/** Of a link-local address the interface does not count. */
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}
