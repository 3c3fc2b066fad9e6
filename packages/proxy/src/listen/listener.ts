import { createServer, type Server, type Socket } from 'node:net';
import { errorCode } from '../errors.ts';
import type { Address } from '../stages.ts';
import { type Accepted, plainAddress, SocketAccepted } from './accepted.ts';
import { Opening } from './opening.ts';

/** A handle that the primary has bound; a server that gets it listens on it and closes its copy at the end. */
export type ListenHandle = NonNullable<Parameters<Server['listen']>[0]>;

export interface ListenerEvents {
  /** A new client. False: there is no room; the listener keeps it and accepts no more until resume(). */
  accepted(client: Accepted): boolean;
  /** One that was kept, or comes at the last moment, while the listener closes: it is let in though there is no room. */
  acceptedAnyway(client: Accepted): void;
  /** How many more may come in, as far as is known without asking anybody; the answer of accepted() is what counts. */
  room(): number;
  /** This process can have no more clients for now: another one may, so they had better stay in the backlog. */
  isFull(): boolean;
  /** Accepting failed for want of descriptors or memory; the listener is paused: answer with resume(), in a while. */
  starved(code: string): void;
  /** It has told of its first failure by `opened`, or has listened before, and cannot listen now. */
  failed(error: unknown): void;
  /** The listener needs its handle again: answer with start(). It says so once; `lacksHandle` tells whether it still does. */
  wantsHandle(): void;
}

/** One bind in one worker. */
export interface BindListener {
  /** Resolves when it has listened for the first time, or is closed before; rejects when it cannot. */
  readonly opened: Promise<void>;
  /** It would accept, but for want of its handle: from the beginning, and after wantsHandle(), until start(), pause() or the end. */
  readonly lacksHandle: boolean;
  /** Begins to accept, unless it has been paused or closed meanwhile. */
  start(handle: ListenHandle): void;
  /** There is room again: first for those that were kept, then for new ones. */
  resume(): void;
  /** Accepts nobody until resume(): what comes meanwhile waits in the kernel's backlog. */
  pause(): void;
  /** Accepts nobody any more. Those that were kept wait for room, and come in by resume(). False: there are none (any more). */
  retire(): boolean;
  /** Accepts nobody any more. Those that were kept come in: for the kernel they are connected, and nobody else has them. */
  close(): void;
  /** So many may still come before room() is asked. */
  readonly promised: number;
}

/** Longer than any kernel allows by default: net.core.somaxconn is the limit that counts. */
export const BACKLOG = 65_535;

/**
 * A bind whose clients Node accepts. A pause closes this worker's copy of the socket: what comes meanwhile waits in the kernel's
 * backlog, which the primary's copy keeps alive, instead of being accepted and dropped.
 */
export class Listener implements BindListener {
  readonly opened: Promise<void>;
  /** Each is asked for when it comes. */
  readonly promised = 0;
  readonly #opening: Opening;
  readonly #events: ListenerEvents;
  #server: Server | null = null;
  /** Where it is bound; null: to no single address, so each client's own socket has to say where it came to. */
  #local: Address | null = null;
  /** Accepted, but there was no room for it. */
  readonly #kept: SocketAccepted[] = [];
  /** `asked`: it accepts as soon as it has its handle. */
  #state: 'asked' | 'open' | 'paused' | 'closed' = 'asked';

  constructor(events: ListenerEvents) {
    this.#events = events;
    this.#opening = new Opening(error => events.failed(error));
    this.opened = this.#opening.done;
  }

  start(handle: ListenHandle): void {
    if (this.#state !== 'asked') {
      (handle as { close(): void }).close();
      return;
    }
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#server = server;
    this.#state = 'open';
    server.on('connection', socket => this.#accept(socket));
    const failed = (error: Error): void => {
      this.#server = null;
      if (this.#state === 'open') this.#state = 'asked';
      this.#opening.fail(error);
    };
    server.once('error', failed);
    server.listen(handle, BACKLOG, () => {
      server.removeListener('error', failed);
      server.on('error', error => this.#starved(errorCode(error)));
      this.#local = singleAddress(server);
      this.#opening.settle();
    });
  }

  resume(): void {
    while (this.#kept.length > 0) {
      const client = this.#kept[0];
      if (client !== undefined && !client.isGone && !this.#events.accepted(client)) return;
      this.#kept.shift();
    }
    if (this.#state !== 'paused' || this.#events.isFull()) return;
    this.#state = 'asked';
    this.#events.wantsHandle();
  }

  get lacksHandle(): boolean {
    return this.#state === 'asked';
  }

  pause(): void {
    if (this.#state === 'closed') return;
    this.#state = 'paused';
    this.#server?.close();
    this.#server = null;
  }

  retire(): boolean {
    this.#state = 'closed';
    this.#server?.close();
    this.#server = null;
    this.#opening.settle();
    return this.#kept.length > 0;
  }

  close(): void {
    this.retire();
    for (const client of this.#kept.splice(0)) if (!client.isGone) this.#events.acceptedAnyway(client);
  }

  #accept(socket: Socket): void {
    const client = new SocketAccepted(socket, this.#local);
    if (this.#state === 'closed') this.#events.acceptedAnyway(client);
    else if (this.#kept.length > 0 || !this.#events.accepted(client)) {
      this.#kept.push(client);
      socket.on('error', () => {});
      this.pause();
    }
  }

  #starved(code: string): void {
    this.#events.starved(code);
    this.pause();
  }
}

/** The one address where all its clients come to; null: it is bound to all that this host has. */
function singleAddress(server: Server): Address | null {
  const bound = server.address();
  if (bound === null || typeof bound === 'string' || bound.address === '0.0.0.0' || bound.address === '::') return null;
  return plainAddress(bound.address, bound.port);
}
