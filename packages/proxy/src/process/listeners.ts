import type { Accepted } from '../listen/accepted.ts';
import type { Entry } from '../listen/arrival.ts';
import { type BindListener, Listener, type ListenerEvents, type ListenHandle } from '../listen/listener.ts';
import type { Engine } from '../native/engine.ts';
import { NativeListener } from '../native/native_listener.ts';
import type { BindRef } from './wire.ts';

export interface ListenersEvents {
  /** A new client. False: there is no room. */
  accepted(client: Accepted, entry: Entry): boolean;
  /** One that comes in though there is no room. */
  acceptedAnyway(client: Accepted, entry: Entry): void;
  /** How many more may come in at that bind, as far as is known. */
  room(entry: Entry): number;
  isFull(): boolean;
  starved(code: string): void;
  wantsHandle(index: number): void;
}

interface Open {
  readonly listener: BindListener;
  /** What arrivals need; a reload brings another one for new clients. */
  entry: Entry;
}

/** All listeners of one worker, one for each of the primary's sockets that it listens on. */
export class Listeners {
  readonly #events: ListenersEvents;
  /** Null: Node accepts all of them. */
  readonly #engine: Engine | null;
  readonly #open = new Map<number, Open>();
  #wanted: ReadonlySet<number> = new Set();
  #held = false;

  constructor(events: ListenersEvents, engine: Engine | null) {
    this.#events = events;
    this.#engine = engine;
  }

  /** These are all, from now on: whatever else is open accepts nobody any more. Those that are new come with set(). */
  want(binds: readonly BindRef[]): void {
    this.#wanted = new Set(binds.map(({ index }) => index));
    for (const [index, { listener }] of this.#open) {
      if (this.#wanted.has(index)) continue;
      listener.close();
      this.#open.delete(index);
    }
  }

  /** New clients come in that way; opens the listener if it is new, and still wanted. */
  set(index: number, entry: Entry): void {
    const known = this.#open.get(index);
    if (known !== undefined && (this.#engine === null || isPlain(known.entry) === isPlain(entry))) known.entry = entry;
    else if (known !== undefined) this.#replace(index, known, entry);
    else if (this.#wanted.has(index)) this.#begin(index, entry);
  }

  /** Resolves when all of them listen, or are closed. Rejects with the system's error where one cannot. */
  async opened(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ listener }) => listener.opened));
  }

  /** The primary's socket of that number: listens on it. */
  listen(index: number, handle: ListenHandle): void {
    const open = this.#open.get(index);
    if (open !== undefined) open.listener.start(handle);
    else (handle as { close(): void }).close();
  }

  /** While it holds, nobody is accepted; what comes waits in the kernel's backlog. */
  hold(on: boolean): void {
    this.#held = on;
    if (on) this.pause();
    else this.resume();
  }

  pause(): void {
    for (const { listener } of this.#open.values()) listener.pause();
  }

  resume(): void {
    if (this.#held) return;
    for (const { listener } of this.#open.values()) listener.resume();
  }

  /** Accepts nobody any more. */
  close(): void {
    this.want([]);
  }

  /** A reload has given it TLS, or taken it away: somebody else accepts its clients. What comes meanwhile waits. */
  #replace(index: number, { listener }: Open, entry: Entry): void {
    listener.close();
    this.#begin(index, entry);
    if (this.#held) this.#open.get(index)?.listener.pause();
  }

  #begin(index: number, entry: Entry): void {
    const events: ListenerEvents = {
      accepted: client => this.#events.accepted(client, open.entry),
      acceptedAnyway: client => this.#events.acceptedAnyway(client, open.entry),
      room: () => this.#events.room(open.entry),
      isFull: () => this.#events.isFull(),
      starved: code => this.#events.starved(code),
      wantsHandle: () => this.#events.wantsHandle(index),
    };
    const isNative = this.#engine !== null && isPlain(entry);
    const listener = isNative ? new NativeListener(this.#engine, events) : new Listener(events);
    const open: Open = { entry, listener };
    // Whoever waits for opened() is told; with nobody waiting it is the worker's end all the same.
    this.#open.set(index, open);
    this.#events.wantsHandle(index);
  }
}

/** TLS needs a socket of Node's. */
function isPlain({ tls }: Entry): boolean {
  return tls === null;
}
