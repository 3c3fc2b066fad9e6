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

/** All that a worker hears but `start`, which makes it. */
export type Heard = Exclude<ToWorker, readonly ['start', ...unknown[]]>;

/** What is done for each word. */
type Words = { readonly [Message in Heard as Message[0]]: (message: Message) => void };

/** What the primary says to a worker: each word reaches the part that it is for. */
export class Hearing {
  readonly #words: Words;

  constructor(to: Hearers) {
    this.#words = { ...answers(to), ...news(to), ...orders(to) };
  }

  hear(message: Heard): void {
    // Which message a word belongs to is known to Words, but not by way of a variable.
    const heard = this.#words[message[0]] as (message: Heard) => void;
    heard(message);
  }
}

/** Answers, and what was asked for. */
function answers({ link, admission, frontends }: Hearers): Pick<Words, 'answer' | 'placed' | 'nobody' | 'lease'> {
  return {
    answer: ([, call, answer]) => link.answered(call, answer),
    placed: ([, call, server, stick, displaced]) => link.placed(call, { server, stick, displaced }),
    nobody: ([, call, why]) => link.placed(call, { server: null, why }),
    lease: ([, count, frontend]) => {
      if (frontend === null) admission.granted(count);
      else frontends.granted(frontend, count);
    },
  };
}

/** How things are from now on. */
function news(to: Hearers): Pick<Words, 'view' | 'config' | 'binds' | 'tickets' | 'takeover'> {
  return {
    view: ([, backend, servers]) => to.orders.viewed(backend, to.routes.update(backend, servers)),
    config: ([, generation, config, binds, kept]) => to.reconfigure(generation, config, { binds, kept }),
    binds: ([, binds]) => to.rebind(binds),
    tickets: ([, keys]) => to.tickets.setKeys(readRing(keys) ?? []),
    takeover: ([, on]) => to.frontends.takeOver(on),
  };
}

/** What it is to do. */
function orders(to: Hearers): Omit<Words, keyof ReturnType<typeof answers> | keyof ReturnType<typeof news>> {
  const { link, admission, frontends, listeners, reception } = to;
  return {
    evict: message => to.orders.evict(message),
    ask: ([, call, question]) => void to.orders.answer(call, question),
    recall: ([, frontend]) => {
      if (frontend === null) admission.recall();
      else frontends.recall(frontend);
    },
    reopen: () => to.lines.reopen(),
    hold: ([, on]) => {
      listeners.hold(on);
      if (on) link.say(['held']);
    },
    standby: ([, addresses]) => void reception.standBy(addresses).then(() => link.say(['stood_by'])),
    drain: () => to.drain(),
    close: () => to.stopAll(),
  };
}
