import { createServer, type Server, type Socket } from 'node:net';
import { errorCode } from '../errors.ts';

/** A handle that the primary has bound; a server that gets it listens on it and closes its copy at the end. */
export type ListenHandle = NonNullable<Parameters<Server['listen']>[0]>;

export interface ListenerEvents {
  /** A new client. False: there is no room; the listener keeps it and accepts no more until resume(). */
  accepted(socket: Socket): boolean;
  /** One that was kept, or comes at the last moment, while the listener closes: it is let in though there is no room. */
  acceptedAnyway(socket: Socket): void;
  /** This process can have no more clients for now: another one may, so they had better stay in the backlog. */
  isFull(): boolean;
  /** Accepting failed for want of descriptors or memory; the listener is paused: answer with resume(), in a while. */
  starved(code: string): void;
  /** The listener needs its handle (again): answer with start(). */
  wantsHandle(): void;
}

const ASK_AGAIN_MS = 2000;
/** Longer than any kernel allows by default: net.core.somaxconn is the limit that counts. */
const BACKLOG = 65_535;

/**
 * One bind in one worker. A pause closes this worker's copy of the socket: what comes meanwhile waits in the kernel's
 * backlog, which the primary's copy keeps alive, instead of being accepted and dropped.
 */
export class Listener {
  /** Resolves when it has listened for the first time, or is closed before; rejects when it cannot. */
  readonly opened: Promise<void>;
  #onOpened: { resolve(): void; reject(error: unknown): void } | null = null;
  readonly #events: ListenerEvents;
  #server: Server | null = null;
  /** Accepted, but there was no room for it. */
  readonly #kept: Socket[] = [];
  /** `asked`: it accepts as soon as it has its handle. */
  #state: 'asked' | 'open' | 'paused' | 'closed' = 'asked';

  constructor(events: ListenerEvents) {
    this.#events = events;
    this.opened = new Promise((resolve, reject) => {
      this.#onOpened = { resolve, reject };
    });
  }

  /** Begins to accept, unless it has been paused or closed meanwhile. */
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
      // It has listened before, and cannot any more: a worker that does not accept must not live on in silence.
      if (this.#onOpened === null) throw error;
      this.#onOpened.reject(error);
    };
    server.once('error', failed);
    server.listen(handle, BACKLOG, () => {
      server.removeListener('error', failed);
      server.on('error', error => this.#starved(errorCode(error)));
      this.#isOpen();
    });
  }

  /** There is room again: first for those that were kept, then for new ones. */
  resume(): void {
    while (this.#kept.length > 0) {
      const socket = this.#kept[0];
      if (socket !== undefined && !socket.destroyed && !this.#events.accepted(socket)) return;
      this.#kept.shift();
    }
    if (this.#state !== 'paused' || this.#events.isFull()) return;
    this.#ask();
  }

  /** A handle that comes while there is no descriptor for it is lost: so it is asked for again. */
  #ask(): void {
    this.#state = 'asked';
    this.#events.wantsHandle();
    const again = setTimeout(() => this.#state === 'asked' && this.#ask(), ASK_AGAIN_MS);
    again.unref();
  }

  /** Accepts nobody until resume(). */
  pause(): void {
    if (this.#state === 'closed') return;
    this.#state = 'paused';
    this.#server?.close();
    this.#server = null;
  }

  /** Accepts nobody any more. Those that were kept come in: for the kernel they are connected, and nobody else has them. */
  close(): void {
    this.#state = 'closed';
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#kept.splice(0)) if (!socket.destroyed) this.#events.acceptedAnyway(socket);
    this.#isOpen();
  }

  #isOpen(): void {
    this.#onOpened?.resolve();
    this.#onOpened = null;
  }

  #accept(socket: Socket): void {
    if (this.#state === 'closed') this.#events.acceptedAnyway(socket);
    else if (this.#kept.length > 0 || !this.#events.accepted(socket)) {
      this.#kept.push(socket);
      socket.on('error', () => {});
      this.pause();
    }
  }

  #starved(code: string): void {
    this.#events.starved(code);
    this.pause();
  }
}
