import type { Timer, TimerWheel } from '../clock.ts';
import { type Endpoint, type EndpointListener, NOBODY } from '../endpoint.ts';
import { LimpetError } from '../errors.ts';
import { CLOSE } from './close_code.ts';
import { FrameDecoder, type FrameEnd } from './frame_decoder.ts';
import { FrameRecord } from './frame_record.ts';
import { FrameWriter } from './frame_writer.ts';
import { IdleWatch } from './idle_watch.ts';
import { LINGER_MS, lingerThenReset } from './linger.ts';

export interface WebSocketOptions {
  readonly wheel: TimerWheel;
  /** Silence after which the client is pinged; a second one ends it. */
  readonly idleMs: number;
  /** How much of the client's frames is kept until forget() or passThrough(); null: nothing is. */
  readonly recordBytes: number | null;
}

/** What a client did wrong. The detail has nothing in it that the client wrote. */
export interface WebSocketFault {
  /** The close code that it was told. */
  readonly closeCode: number;
  readonly detail: string;
}

/**
 * - `closing`: our Close is out, theirs is awaited.
 * - `failed`: they broke a rule or fell silent, and were told so; what they send is thrown away.
 * - `over`: the stream below is ending.
 * - `passed`: the stream below is somebody else's.
 */
type Phase = 'open' | 'closing' | 'failed' | 'over' | 'passed';

/** How long what the broker still has to say may hold back our answer to a Close (RFC 6455, 5.5.1). */
const ECHO_MS = 1000;
const NOTHING = Buffer.alloc(0);

/**
 * The bytes inside a client's frames (RFC 6455), over TCP or TLS. A frame for each write, none is ever held whole; Pings
 * are answered. A WebSocket has no half-close: their Close is told as `ended`, and answered at end() or close(), or 1 s
 * later. Ours goes out at end() or close(), and theirs is awaited for 2 s. Who breaks the rules is told with the right
 * code; `closed` then says `EPROTO`, or `EMSGSIZE`, or `ETIMEDOUT` after silence, and `fault` says more.
 *
 * Owns the inner endpoint until passThrough(). Counts its bytes: as they go over the wire, the upgrade among them.
 */
export class WebSocketEndpoint implements Endpoint {
  readonly #inner: Endpoint;
  readonly #wheel: TimerWheel;
  readonly #decoder: FrameDecoder = new FrameDecoder('client');
  readonly #writer: FrameWriter;
  readonly #idle: IdleWatch;
  #listener: EndpointListener = NOBODY;
  #phase: Phase = 'open';
  #record: FrameRecord | null;
  /** Came with the upgrade request, and is not read yet. */
  #early: Buffer;
  #flowing = false;
  /** Nobody wants their bytes any more. */
  #discards = false;
  #theirClose: Extract<FrameEnd, { kind: 'close' }> | null = null;
  #theirFin = false;
  #ended: 'unseen' | 'waiting' | 'told' = 'unseen';
  #timer: Timer | null = null;
  #code: string | null = null;
  #closed = false;
  #fault: WebSocketFault | null = null;

  /** @param early what came behind the upgrade request */
  constructor(inner: Endpoint, early: Buffer, { wheel, idleMs, recordBytes }: WebSocketOptions) {
    this.#inner = inner;
    this.#wheel = wheel;
    this.#early = early;
    this.#writer = new FrameWriter(inner);
    this.#record = recordBytes === null ? null : new FrameRecord(recordBytes);
    this.#idle = new IdleWatch(wheel, idleMs, {
      isHeld: () => !this.#flowing || this.#writer.isBlocked,
      ping: () => this.#writer.ping(),
      silent: () => this.#fail(CLOSE.goingAway, 'silent, and no answer to a Ping', 'ETIMEDOUT'),
    });
    const passesOn = (): boolean => this.#record === null && this.#listener.passesOn === true;
    inner.attach({
      get passesOn() {
        return passesOn();
      },
      bytes: chunk => this.#read(chunk),
      drained: () => this.#drained(),
      ended: () => this.#finCame(),
      closed: code => this.#gone(code),
    });
  }

  /** Why Limpet ended it, where the client was at fault. */
  get fault(): WebSocketFault | null {
    return this.#fault;
  }

  get bytesIn(): number {
    return this.#inner.bytesIn;
  }

  get bytesOut(): number {
    return this.#inner.bytesOut;
  }

  attach(listener: EndpointListener): void {
    this.#listener = listener;
    if (this.#closed) queueMicrotask(() => this.#listener === listener && listener.closed(this.#code));
  }

  resume(): void {
    if (this.#phase === 'passed') return;
    this.#flowing = true;
    if (this.#early.length === 0 && this.#ended !== 'waiting') this.#inner.resume();
    else queueMicrotask(() => this.#catchUp());
  }

  pause(): void {
    this.#flowing = false;
    if (this.#phase === 'open' || (this.#phase === 'closing' && !this.#discards)) this.#inner.pause();
  }

  write(bytes: Buffer): boolean {
    return this.#phase === 'open' ? this.#writer.data(bytes) : true;
  }

  end(): void {
    if (this.#phase === 'open') this.#sendClose();
  }

  close(): void {
    this.end();
    if (this.#phase !== 'closing') return;
    this.#discards = true;
    this.#early = NOTHING;
    this.#inner.resume();
  }

  abort(): void {
    if (this.#phase === 'passed') return;
    this.#quiet('over');
    this.#inner.abort();
  }

  reset(): void {
    if (this.#phase === 'passed') return;
    this.#quiet('over');
    this.#inner.reset();
  }

  keepAlive(idleMs: number): void {
    this.#inner.keepAlive(idleMs);
  }

  /** The client's frames so far. Empty after forget(). */
  frames(): Buffer {
    if (this.#record === null) return NOTHING;
    const recorded = this.#record.bytes();
    return this.#early.length === 0 ? recorded : Buffer.concat([recorded, this.#early]);
  }

  /** Bytes inside messages whose end has come. Of interest only while frames are kept: else all that came counts as whole. */
  get wholeBytes(): number {
    return this.#record === null ? Number.POSITIVE_INFINITY : this.#decoder.wholeBytes;
  }

  /** No broker will want to see the frames. */
  forget(): void {
    this.#record = null;
  }

  /**
   * Gives the stream below away, paused, and the client's frames so far. Of what was unwrapped nothing is lost: it is in
   * the frames. Their Pings among them have been answered; that a broker answers again is legal (RFC 6455, 5.5.3).
   */
  passThrough(): { readonly endpoint: Endpoint; readonly frames: Buffer } {
    if (this.#record === null) {
      const remedy = 'this is a mistake in Limpet: report it with the log around it';
      throw new LimpetError('WEBSOCKET_FRAMES_GONE', "a WebSocket client's frames are not there any more", remedy);
    }
    const frames = this.frames();
    this.#quiet('passed');
    this.#record = null;
    this.#early = NOTHING;
    this.#inner.pause();
    this.#inner.attach(NOBODY);
    return { endpoint: this.#inner, frames };
  }

  #catchUp(): void {
    if (!this.#flowing) return;
    const early = this.#early;
    this.#early = NOTHING;
    if (early.length > 0) this.#read(early);
    // Told of the bytes, the listener may have paused, or given the stream away.
    this.#tellEnd();
    if (this.#flowing && this.#phase !== 'passed') this.#inner.resume();
  }

  #read(chunk: Buffer): void {
    if (!this.#isReading() || this.#theirClose !== null) return;
    this.#idle.heard();
    const isKept = this.#record?.append(chunk) ?? true;
    const before = this.#decoder.wholeBytes;
    const { data, ping, end } = this.#decoder.push(chunk);
    if (!isKept || this.#record?.contained(data.length) === false) {
      this.#fail(CLOSE.tooBig, 'too many bytes before the broker was found', 'EMSGSIZE');
      return;
    }
    if (ping !== null) this.#writer.pong(ping);
    // An empty frame may end a message that somebody waits for the end of.
    const hasNews = data.length > 0 || (this.#record !== null && this.#decoder.wholeBytes > before);
    if (hasNews && !this.#discards) this.#listener.bytes(data);
    if (end !== null && this.#isReading()) this.#theyEnd(end);
  }

  #isReading(): boolean {
    return this.#phase === 'open' || this.#phase === 'closing';
  }

  #theyEnd(end: FrameEnd): void {
    if (end.kind === 'bad') {
      this.#fail(end.code, end.detail, 'EPROTO');
      return;
    }
    this.#idle.stop();
    this.#theirClose = end;
    this.#noMoreComes();
  }

  /** FIN without a Close before it, or behind one. */
  #finCame(): void {
    if (!this.#isReading()) return;
    this.#idle.stop();
    this.#theirFin = true;
    if (this.#theirClose === null) this.#noMoreComes();
  }

  #noMoreComes(): void {
    this.#ended = 'waiting';
    this.#tellEnd();
    if (this.#phase === 'closing') this.#finish();
  }

  #tellEnd(): void {
    if (!this.#flowing || this.#discards || this.#ended !== 'waiting' || !this.#isReading()) return;
    this.#ended = 'told';
    if (this.#phase === 'open') this.#timer = this.#wheel.after(ECHO_MS, () => this.end());
    this.#listener.ended();
  }

  #drained(): void {
    const owed = this.#writer.drained();
    if (this.#phase === 'closing' && !this.#writer.isBlocked) this.#awaitClose();
    if (owed) this.#listener.drained();
  }

  /** Theirs is answered with its own code (RFC 6455, 5.5.1). Nothing may follow. */
  #sendClose(): void {
    this.#quiet('closing');
    this.#writer.close(this.#theirClose === null ? CLOSE.normal : this.#theirClose.code);
    if (this.#theirClose !== null || this.#theirFin) this.#finish();
    else if (!this.#writer.isBlocked) this.#awaitClose();
  }

  /** From when they can have seen ours; one that does not take it is the owner's to end. */
  #awaitClose(): void {
    this.#timer ??= this.#wheel.after(LINGER_MS, () => this.#finish());
  }

  /** The server is the first to close the stream below (RFC 6455, 7.1.1). */
  #finish(): void {
    this.#quiet('over');
    this.#inner.close();
  }

  #fail(closeCode: number, detail: string, code: string): void {
    this.#quiet('failed');
    this.#fault = { closeCode, detail };
    this.#code = code;
    this.#writer.close(closeCode);
    void lingerThenReset(this.#inner, this.#wheel).then(() => this.#gone(null));
  }

  /** Enters a phase in which neither idleness nor any other deadline of before counts. */
  #quiet(phase: Phase): void {
    this.#phase = phase;
    this.#idle.stop();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #gone(code: string | null): void {
    this.#quiet('over');
    this.#closed = true;
    this.#code ??= code;
    this.#listener.closed(this.#code);
  }
}
