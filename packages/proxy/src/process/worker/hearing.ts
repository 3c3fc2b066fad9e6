import type { Config } from '../../config/resolved.ts';
import type { Admission } from '../../listen/admission.ts';
import type { Log } from '../../log.ts';
import { readRing } from '../../tls/ticket_ring.ts';
import type { TicketKeys } from '../../tls/tickets.ts';
import type { BindRef, ToWorker } from '../wire.ts';
import type { Given } from './adoption.ts';
import type { Frontends } from './frontends.ts';
import type { Listeners } from './listeners.ts';
import type { PrimaryLink } from './primary_link.ts';
import type { Reception } from './reception.ts';
import type { Routes } from './routes.ts';
import type { SessionOrders } from './session_orders.ts';

/** The parts of a worker that the primary speaks to. */
export interface Hearers {
  readonly link: PrimaryLink;
  readonly lines: Log;
  readonly admission: Admission;
  readonly routes: Routes;
  readonly frontends: Frontends;
  readonly tickets: TicketKeys;
  readonly listeners: Listeners;
  readonly reception: Reception;
  readonly orders: SessionOrders;
  /** Goes over to another configuration, and says so. */
  reconfigure(generation: number, config: Config, given: Given): void;
  /** Listens on these, and on nothing else. */
  rebind(binds: readonly BindRef[]): void;
  /** Accepts nobody any more, and leaves behind the last session. */
  drain(): void;
  /** Closes the sessions that are left. */
  stopAll(): void;
}

/** What the primary says to a worker: each word reaches the part that it is for. `start` is not heard here: it makes the worker. */
export class Hearing {
  readonly #to: Hearers;

  constructor(to: Hearers) {
    this.#to = to;
  }

  hear(message: ToWorker): void {
    if (!this.#answered(message) && !this.#told(message)) this.#ordered(message);
  }

  /** An answer, or what was asked for. True: it was one. */
  #answered(message: ToWorker): boolean {
    const { link, admission, frontends } = this.#to;
    switch (message[0]) {
      case 'answer':
        link.answered(message[1], message[2]);
        return true;
      case 'placed':
        link.placed(message[1], { server: message[2], stick: message[3], displaced: message[4] });
        return true;
      case 'nobody':
        link.placed(message[1], { server: null, why: message[2] });
        return true;
      case 'lease':
        if (message[2] === null) admission.granted(message[1]);
        else frontends.granted(message[2], message[1]);
        return true;
      default:
        return false;
    }
  }

  /** How things are from now on. True: it was that. */
  #told(message: ToWorker): boolean {
    const { orders, routes, tickets, frontends } = this.#to;
    switch (message[0]) {
      case 'view':
        orders.viewed(message[1], routes.update(message[1], message[2]));
        return true;
      case 'config':
        this.#to.reconfigure(message[1], message[2], { binds: message[3], kept: message[4] });
        return true;
      case 'binds':
        this.#to.rebind(message[1]);
        return true;
      case 'tickets':
        tickets.setKeys(readRing(message[1]) ?? []);
        return true;
      case 'takeover':
        frontends.takeOver(message[1]);
        return true;
      default:
        return false;
    }
  }

  #ordered(message: ToWorker): void {
    const { link, lines, orders, reception } = this.#to;
    switch (message[0]) {
      case 'evict':
        orders.evict(message);
        break;
      case 'ask':
        void orders.answer(message[1], message[2]);
        break;
      case 'recall':
        this.#recall(message[1]);
        break;
      case 'reopen':
        lines.reopen();
        break;
      case 'hold':
        this.#hold(message[1]);
        break;
      case 'standby':
        void reception.standBy(message[1]).then(() => link.say(['stood_by']));
        break;
      case 'drain':
        this.#to.drain();
        break;
      case 'close':
        this.#to.stopAll();
        break;
      // Heard above; and the one that makes the worker.
      case 'answer':
      case 'placed':
      case 'nobody':
      case 'lease':
      case 'view':
      case 'config':
      case 'binds':
      case 'tickets':
      case 'takeover':
      case 'start':
        break;
      default:
        message satisfies never;
    }
  }

  #recall(frontend: string | null): void {
    if (frontend === null) this.#to.admission.recall();
    else this.#to.frontends.recall(frontend);
  }

  #hold(on: boolean): void {
    this.#to.listeners.hold(on);
    if (on) this.#to.link.say(['held']);
  }
}
