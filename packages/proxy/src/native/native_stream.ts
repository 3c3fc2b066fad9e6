import { type Endpoint, type EndpointListener, NOBODY } from '../endpoint.ts';
import type { Engine, EngineStream } from './engine.ts';

/** What is told of a connection that is being made: one of the two, once. */
export interface DialListener {
  /** It is paused, and the first bytes are on their way. */
  dialled(stream: NativeStream): void;
  /** It is gone. `inBind`: its source address or port is not to be had. */
  notDialled(code: string, inBind: boolean): void;
}

/** From where, and what is said first. */
export interface DialOrder {
  /** Literal. */
  readonly address: string;
  readonly port: number;
  /** Null: the kernel chooses. */
  readonly from: string | null;
  readonly fromPort: number;
  readonly first: Buffer;
}

/** Bytes and FIN may be told. */
const FLOWING = 1;
/** The number is gone: closed, or linked. */
const GONE = 2;
/** It has said FIN, or is closing. */
const SAID_END = 4;
const CLOSING = 8;

/**
 * A plain TCP connection of the native engine's. There is one for each client and each broker until the relay begins, so it
 * is flat: no closure and no promise of its own.
 */
export class NativeStream implements Endpoint, EngineStream {
  readonly id: number;
  bytesIn = 0;
  bytesOut = 0;
  /** How many bytes were received that are not counted. */
  skipped = 0;
  readonly #engine: Engine;
  #state = 0;
  #listener: EndpointListener = NOBODY;
  #dial: DialListener | null = null;
  /** Was read, and put back. */
  #early: Buffer | null = null;
  #code: string | null = null;
  #onOver: (() => void) | null = null;

  /** Of a stream that the engine has accepted just now. */
  constructor(engine: Engine, id: number) {
    this.#engine = engine;
    this.id = id;
    engine.streams.set(this);
  }

  /** Begins to connect; the deadline is the caller's. `onOver`: when it is closed, also behind a relay, or was never open. */
  static dial(engine: Engine, order: DialOrder, listener: DialListener, onOver: (() => void) | null): NativeStream {
    const { address, port, from, fromPort, first } = order;
    const stream = new NativeStream(engine, engine.native.dial(address, port, from, fromPort, first));
    stream.#dial = listener;
    stream.#onOver = onOver;
    stream.bytesOut = first.length;
    return stream;
  }

  /** Its number is gone: it is closed, or a relay has it. */
  get isGone(): boolean {
    return (this.#state & GONE) !== 0;
  }

  get isDialling(): boolean {
    return this.#dial !== null;
  }

  attach(listener: EndpointListener): void {
    this.#listener = listener;
    // A connection may die between two stages; whoever comes next must still be told.
    if (this.isGone) queueMicrotask(() => this.#listener === listener && listener.closed(this.#code));
  }

  resume(): void {
    if ((this.#state & (FLOWING | GONE)) !== 0) return;
    this.#state |= FLOWING;
    if (this.#early === null) this.#engine.native.resume(this.id);
    else queueMicrotask(() => this.#tellEarly());
  }

  pause(): void {
    if ((this.#state & FLOWING) === 0) return;
    this.#state &= ~FLOWING;
    if (!this.isGone) this.#engine.native.pause(this.id);
  }

  write(bytes: Buffer): boolean {
    if ((this.#state & (GONE | SAID_END)) !== 0 || bytes.length === 0) return true;
    this.bytesOut += bytes.length;
    return this.#engine.native.write(this.id, bytes);
  }

  end(): void {
    if ((this.#state & (GONE | SAID_END)) !== 0) return;
    this.#state |= SAID_END;
    this.#engine.native.end(this.id);
  }

  close(): void {
    if ((this.#state & (GONE | CLOSING)) !== 0) return;
    this.#state |= SAID_END | CLOSING;
    this.#early = null;
    this.#engine.native.close(this.id);
  }

  abort(): void {
    if (this.isGone) return;
    this.#state |= SAID_END | CLOSING;
    this.#early = null;
    this.#engine.native.abort(this.id);
  }

  reset(): void {
    if (this.isGone) return;
    this.#state |= SAID_END | CLOSING;
    this.#early = null;
    this.#engine.native.reset(this.id);
    // Of what was never open nothing is told.
    if (this.#dial !== null) this.#gone('ECONNABORTED');
  }

  keepAlive(idleMs: number): void {
    if (!this.isGone) this.#engine.native.keepAlive(this.id, idleMs);
  }

  /** Paused: puts bytes back that were told last. They are told first again; they have been counted. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#early = bytes;
  }

  /** So many of the bytes that came are not to be counted. */
  skip(bytes: number): void {
    this.skipped = bytes;
    this.bytesIn -= bytes;
  }

  /** What was put back, and is somebody else's to pass on now; null: nothing. */
  takeEarly(): Buffer | null {
    const early = this.#early;
    this.#early = null;
    return early;
  }

  /** A relay has its number. Answers what wants to be called when that ends. */
  linked(): (() => void) | null {
    const onOver = this.#onOver;
    this.#onOver = null;
    this.#gone(null);
    return onOver;
  }

  cameBytes(from: number, bytes: number): void {
    if ((this.#state & CLOSING) !== 0) return;
    this.bytesIn += bytes;
    if (this.#listener.passesOn === true) this.#engine.lendTo(this.#listener, from, bytes);
    else this.#listener.bytes(this.#engine.copyOf(from, bytes));
  }

  hasDrained(): void {
    this.#listener.drained();
  }

  hasEnded(): void {
    this.#listener.ended();
  }

  hasClosed(code: string | null): void {
    this.#gone(code);
    this.#listener.closed(code);
  }

  hasOpened(): void {
    const dial = this.#dial;
    this.#dial = null;
    dial?.dialled(this);
  }

  hasFailed(code: string, inBind: boolean): void {
    const dial = this.#dial;
    this.#gone(code);
    dial?.notDialled(code, inBind);
  }

  #tellEarly(): void {
    if ((this.#state & (FLOWING | GONE)) !== FLOWING) return;
    const early = this.takeEarly();
    if (early !== null) this.#listener.bytes(early);
    if ((this.#state & (FLOWING | GONE)) === FLOWING) this.#engine.native.resume(this.id);
  }

  #gone(code: string | null): void {
    this.#state |= GONE;
    this.#code = code;
    this.#dial = null;
    this.#early = null;
    this.#engine.streams.delete(this);
    this.#onOver?.();
    this.#onOver = null;
  }
}
