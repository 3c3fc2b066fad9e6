import { errorCode } from '../../errors.ts';
import type { Accepted } from '../../listen/accepted.ts';
import type { Entry } from '../../listen/entry.ts';
import { type BindListener, Listener, type ListenerEvents, type ListenHandle } from '../../listen/listener.ts';
import type { Engine } from '../../native/engine.ts';
import { NativeListener } from '../../native/native_listener.ts';
import type { BindRef } from '../wire.ts';
import { HandleRequest } from './handle_request.ts';

export interface ListenersEvents {
  /** A new client. False: there is no room. */
  accepted(client: Accepted, entry: Entry): boolean;
  /** One that comes in though there is no room. */
  acceptedAnyway(client: Accepted, entry: Entry): void;
  /** How many more may come in at that bind, as far as is known. */
  room(entry: Entry): number;
  isFull(): boolean;
  starved(code: string): void;
  /** Asks the primary for its socket of that number: answer with listen(). It is asked for again until it has come. */
  wantsHandle(index: number): void;
}

interface Open {
  readonly listener: BindListener;
  readonly request: HandleRequest;
  /** Its worker is full. */
  isLent: boolean;
  /** It was when this began: then it has listened for long, and nobody waits until this one does too. */
  readonly wasLent: boolean;
  /** What arrivals need; a reload brings another one for new clients. */
  entry: Entry;
}

/** All listeners of one worker, one for each of the primary's sockets that it listens on. */
export class Listeners {
  readonly #events: ListenersEvents;
  /** Null: Node accepts all of them. */
  readonly #engine: Engine | null;
  readonly #open = new Map<number, Open>();
  /** Not wanted any more, while clients are left that they have accepted and found no room for. */
  readonly #retired = new Set<BindListener>();
  #wanted: ReadonlySet<number> = new Set();
  #held = false;

  constructor(events: ListenersEvents, engine: Engine | null) {
    this.#events = events;
    this.#engine = engine;
  }

  /** These are all, from now on: whatever else is open accepts nobody any more. Those that are new come with set(). */
  want(binds: readonly BindRef[]): void {
    this.#wanted = new Set(binds.map(({ index }) => index));
    for (const [index, { listener, request, isLent }] of this.#open) {
      if (this.#wanted.has(index)) continue;
      this.#open.delete(index);
      request.end();
      if (!isLent) listener.close();
      else if (listener.retire()) this.#retired.add(listener);
    }
  }

  /** New clients come in that way; opens the listener if it is new, and still wanted. */
  set({ index, isLent }: BindRef, entry: Entry): void {
    const known = this.#open.get(index);
    if (known === undefined) {
      if (this.#wanted.has(index)) this.#begin(index, isLent, entry);
      return;
    }
    known.isLent = isLent;
    if (this.#engine === null || isPlain(known.entry) === isPlain(entry)) known.entry = entry;
    else this.#replace(index, known, entry);
  }

  /** Resolves when its own listen, or are closed. Rejects with the system's error where one cannot. */
  async opened(): Promise<void> {
    const own = [...this.#open.values()].filter(({ wasLent }) => !wasLent);
    await Promise.all(own.map(({ listener }) => listener.opened));
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
    for (const listener of this.#retired) {
      listener.resume();
      if (!listener.retire()) this.#retired.delete(listener);
    }
    for (const { listener } of this.#open.values()) listener.resume();
  }

  /** Accepts nobody any more, and lets in whoever was accepted before. */
  close(): void {
    this.want([]);
    for (const listener of this.#retired) listener.close();
    this.#retired.clear();
  }

  /** A reload has given it TLS, or taken it away: somebody else accepts its clients. What comes meanwhile waits. */
  #replace(index: number, { listener, request, isLent }: Open, entry: Entry): void {
    request.end();
    listener.close();
    this.#begin(index, isLent, entry);
    if (this.#held) this.#open.get(index)?.listener.pause();
  }

  #begin(index: number, isLent: boolean, entry: Entry): void {
    const events: ListenerEvents = {
      accepted: client => this.#events.accepted(client, open.entry),
      acceptedAnyway: client => this.#events.acceptedAnyway(client, open.entry),
      room: () => this.#events.room(open.entry) - this.#promisedBeside(listener),
      isFull: () => this.#events.isFull(),
      starved: code => this.#events.starved(code),
      failed: error => this.#failed(open, error),
      wantsHandle: () => request.begin(),
    };
    const isNative = this.#engine !== null && isPlain(entry);
    const listener = isNative ? new NativeListener(this.#engine, events) : new Listener(events);
    const request = new HandleRequest(
      () => this.#events.wantsHandle(index),
      () => listener.lacksHandle,
    );
    const open: Open = { entry, listener, request, isLent, wasLent: isLent };
    // Whoever waits for opened() is told; with nobody waiting it is the worker's end all the same.
    this.#open.set(index, open);
    if (isLent) this.#beginLent(listener);
    if (!isLent || this.#accepts) request.begin();
  }

  /** It listens already, by its own worker: that this one cannot listen on it ends nothing, and is tried again. */
  #beginLent(listener: BindListener): void {
    listener.opened.catch((error: unknown) => this.#events.starved(errorCode(error)));
    if (!this.#accepts) listener.pause();
  }

  /** A worker that does not accept on a bind of its own must not live on in silence. */
  #failed({ isLent }: Open, error: unknown): void {
    if (!isLent) throw error;
    this.#events.starved(errorCode(error));
  }

  get #accepts(): boolean {
    return !this.#held && !this.#events.isFull();
  }

  /** What may still come in at the other listeners takes the same room. */
  #promisedBeside(listener: BindListener): number {
    let sum = -listener.promised;
    for (const other of this.#open.values()) sum += other.listener.promised;
    return sum;
  }
}

/** TLS needs a socket of Node's. */
function isPlain({ tls }: Entry): boolean {
  return tls === null;
}
