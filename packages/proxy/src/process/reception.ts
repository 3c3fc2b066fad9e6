import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Door } from '../gate/door.ts';
import { Arrival, type Arrived, type Entry, plainAddress } from '../listen/arrival.ts';
import { Session } from '../session.ts';
import { TcpSession } from '../tcp_session.ts';
import type { HandshakeGate } from '../tls/handshake_gate.ts';
import type { Workshop } from '../workshop.ts';
import type { Frontends } from './frontends.ts';
import type { Generations } from './generations.ts';
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

/** A connection, from its accept to its end. */
interface Guest {
  readonly socket: Socket;
  /** Both sides are reset, in whatever stage it is. */
  reset: () => void;
}

/** So long the event loop is held at a time: some 3,000 connections. They have little time, and others can wait. */
const SLICE_MS = 100;

/** Receives each connection of one worker, and sees it through to its end. */
export class Reception {
  readonly #place: ReceptionPlace;
  readonly #arrivals = new Set<Arrival>();
  readonly #guests = new Set<Guest>();
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
  accept(socket: Socket, entry: Entry): boolean {
    const door = this.#place.frontends.door(entry.frontend.name);
    if (!door.enter()) return false;
    this.#begin(socket, entry, door);
    return true;
  }

  /** The same where there is no room: its listener closes, and there is nobody else to turn to. */
  acceptAnyway(socket: Socket, entry: Entry): void {
    const door = this.#place.frontends.door(entry.frontend.name);
    door.enterAnyway();
    this.#begin(socket, entry, door);
  }

  /** Ends all that are not yet sessions. */
  stop(): void {
    for (const arrival of this.#arrivals) arrival.stop();
  }

  /**
   * Resets all that came to one of these addresses of this host, whatever a PROXY header says of their destination.
   * Resolves when it is done.
   */
  async standBy(addresses: readonly string[]): Promise<void> {
    const leaving = new Set(addresses);
    let sinceMs = performance.now();
    for (const { socket, reset } of [...this.#guests]) {
      if (leaving.has(localAddress(socket))) reset();
      if (performance.now() - sinceMs < SLICE_MS) continue;
      await turn();
      sinceMs = performance.now();
    }
  }

  #begin(socket: Socket, entry: Entry, door: Door): void {
    const { frontends, generations, link, workshop } = this.#place;
    const { name } = entry.frontend;
    this.#sessions += 1;
    const id = this.#sessions;
    const generation = generations.enter();
    const isGated = frontends.isGated(name);
    const entrance = workshop.tally.entrance(entry);
    entrance.count('connections');
    entrance.session(1);
    const arrival = new Arrival(socket, id, entry, workshop);
    const guest: Guest = { socket, reset: () => arrival.stop(true) };
    this.#guests.add(guest);
    void this.#receive(arrival, guest, () => door.answered()).finally(() => {
      this.#guests.delete(guest);
      entrance.session(-1);
      door.leave();
      // By a reload it may have become one that is asked about, or have been one.
      if (isGated || frontends.isGated(name)) link.leave(id);
      this.#place.left(generations.leave(generation));
    });
    this.#place.entered();
  }

  #receive(arrival: Arrival, guest: Guest, answered: () => void): Promise<void> {
    this.#arrivals.add(arrival);
    return arrival.run(answered).then(arrived => {
      const serving = this.#serve(arrived, guest);
      // Not before its session is registered: a worker that drains leaves when it has neither.
      this.#arrivals.delete(arrival);
      return serving;
    });
  }

  async #serve(arrived: Arrived, guest: Guest): Promise<void> {
    const { workshop } = this.#place;
    if (arrived.kind === 'refused') {
      const { who, reason, detail } = arrived;
      const refused = { reason, detail, answer: null, server: null, retries: 0 };
      workshop.log.refused(who, null, who.frontend.defaultBackend, refused);
      workshop.tally.refused(who, reason, who.frontend.defaultBackend, null);
    }
    if (arrived.kind !== 'in') return;
    const { inbound } = arrived;
    const session =
      inbound.frontend.mode === 'tcp' ? new TcpSession(inbound, workshop) : new Session(inbound, workshop);
    guest.reset = () => session.stop('standby');
    await session.run();
  }
}

/** Empty where it is closed already. Of a link-local address the interface does not count. */
function localAddress({ localAddress: address }: Socket): string {
  return plainAddress(address, 0).address.replace(/%.*$/, '');
}
