import { plainAddress } from '../listen/accepted.ts';
import { BACKLOG, type BindListener, type ListenerEvents, type ListenHandle } from '../listen/listener.ts';
import { Opening } from '../listen/opening.ts';
import type { Address } from '../stages.ts';
import type { Engine, EngineListener } from './engine.ts';
import { NativeStream } from './native_stream.ts';
import { StreamAccepted } from './stream_accepted.ts';

/** So many are accepted before the worker is asked again how many more it has room for. */
const MOST_CREDIT = 64;
/** More addresses of this host than that are not told apart for long: those that clients still come to are soon known again. */
const MOST_LOCALS = 256;

/**
 * A bind of plain TCP whose clients the native engine accepts: as many as there is room for, one at least, so that who finds
 * none is known to wait. A pause keeps the copy of the socket: what comes meanwhile waits in the backlog.
 */
export class NativeListener implements BindListener, EngineListener {
  readonly opened: Promise<void>;
  /** The engine's number; -1 before start(). */
  id = -1;
  readonly #engine: Engine;
  readonly #events: ListenerEvents;
  /** Where it is bound. */
  #local: Address = { address: '', port: 0 };
  /** Where it is bound to no single address: those of this host that clients came to. Sessions hold them for long. */
  readonly #locals = new Map<string, Address>();
  readonly #opening: Opening;
  readonly #kept: StreamAccepted[] = [];
  #state: 'asked' | 'open' | 'paused' | 'closed' = 'asked';
  /** How many the engine may still bring. */
  #credit = 0;

  constructor(engine: Engine, events: ListenerEvents) {
    this.#engine = engine;
    this.#events = events;
    this.#opening = new Opening(error => events.failed(error));
    this.opened = this.#opening.done;
  }

  start(handle: ListenHandle): void {
    const bound = handle as BoundHandle;
    try {
      if (this.#state !== 'closed' && this.id === -1) this.#listen(bound);
    } catch (error) {
      this.#opening.fail(error);
    } finally {
      bound.close();
    }
  }

  resume(): void {
    while (this.#kept.length > 0) {
      const client = this.#kept[0];
      if (client !== undefined && !client.isGone && !this.#events.accepted(client)) return;
      this.#kept.shift();
    }
    if (this.#state !== 'paused' || this.#events.isFull()) return;
    if (this.id === -1) {
      this.#state = 'asked';
      this.#events.wantsHandle();
    } else {
      this.#state = 'open';
      this.#refill();
    }
  }

  get lacksHandle(): boolean {
    return this.#state === 'asked';
  }

  pause(): void {
    if (this.#state === 'closed') return;
    this.#state = 'paused';
    this.#give(0);
  }

  get promised(): number {
    return Math.max(0, this.#credit);
  }

  retire(): boolean {
    if (this.#state !== 'closed') {
      this.#state = 'closed';
      this.#credit = 0;
      if (this.id !== -1) this.#engine.native.unlisten(this.id);
      this.#locals.clear();
      this.#opening.settle();
    }
    return this.#kept.length > 0;
  }

  close(): void {
    this.retire();
    for (const client of this.#kept.splice(0)) if (!client.isGone) this.#events.acceptedAnyway(client);
  }

  accepted(stream: number, source: Address, local: Address | null): void {
    const client = new StreamAccepted(new NativeStream(this.#engine, stream), source, this.#known(local));
    this.#credit -= 1;
    if (this.#state === 'closed') this.#events.acceptedAnyway(client);
    // Behind a pause too: it was accepted before, and no other process can have it.
    else if (this.#kept.length > 0 || !this.#events.accepted(client)) {
      this.#kept.push(client);
      this.pause();
    } else if (this.#credit <= 0) this.#refill();
  }

  starved(code: string): void {
    this.#events.starved(code);
    this.pause();
  }

  /** @throws Error with the system's code */
  #listen(bound: BoundHandle): void {
    const name: { address?: string; port?: number } = {};
    bound.getsockname(name);
    this.#local = plainAddress(name.address, name.port);
    this.id = this.#engine.native.listen(bound.fd, BACKLOG);
    this.#engine.listeners.set(this);
    this.#opening.settle();
    if (this.#state !== 'asked') return;
    this.#state = 'open';
    this.#refill();
  }

  #known(local: Address | null): Address {
    if (local === null) return this.#local;
    const known = this.#locals.get(local.address);
    if (known !== undefined) return known;
    if (this.#locals.size >= MOST_LOCALS) this.#locals.clear();
    this.#locals.set(local.address, local);
    return local;
  }

  /** Only when nothing of the last credit is left: so no more come than there was room for. */
  #refill(): void {
    if (this.#state === 'open') this.#give(Math.min(MOST_CREDIT, Math.max(1, this.#events.room())));
  }

  #give(credit: number): void {
    this.#credit = credit;
    if (this.id !== -1) this.#engine.native.credit(this.id, credit);
  }
}

/** A bound socket as Node hands it over. */
interface BoundHandle {
  readonly fd: number;
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}
