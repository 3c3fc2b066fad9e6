import type { TimerWheel } from '../clock.ts';
import type { Endpoint, EndpointListener } from '../endpoint.ts';
import type { PacketBoundary } from './packet_boundary.ts';

/** A slow side may take its time: this long without room for more is not slow, but gone. */
const LONGEST_STALL_MS = 120_000;

/** Counts bytes as they pass. */
export interface ByteCount {
  add(bytes: number): void;
}

/** One side of a relay: hears its endpoint and passes on to the other one. */
export class Side implements EndpointListener {
  readonly passesOn = true;
  readonly endpoint: Endpoint;
  /** Both directions are closed. */
  gone = false;
  /** When this side last sent a byte, in the wheel's time. */
  lastMs: number;
  readonly #to: Endpoint;
  readonly #wheel: TimerWheel;
  readonly #passed: ByteCount;
  /** Since when we do not read this side, because the other one is slow; null: we do. */
  #heldMs: number | null = null;
  #other: Side | null = null;
  #boundary: PacketBoundary | null = null;
  #onEnd: (code: string | null) => void = () => {};

  /** `passed`: told of every byte that this side sends. */
  constructor(endpoint: Endpoint, to: Endpoint, wheel: TimerWheel, passed: ByteCount) {
    this.endpoint = endpoint;
    this.#to = to;
    this.#wheel = wheel;
    this.#passed = passed;
    this.lastMs = wheel.now;
  }

  /** `onEnd` is called at FIN and at close; the first call says how it ended. */
  attach(other: Side, onEnd: (code: string | null) => void): void {
    this.#other = other;
    this.#onEnd = onEnd;
    this.endpoint.attach(this);
  }

  /** Sees all that comes from here on. */
  follow(boundary: PacketBoundary | null): void {
    this.#boundary = boundary;
  }

  start(): void {
    if (this.#heldMs === null) this.endpoint.resume();
  }

  bytes(chunk: Buffer): void {
    this.#boundary?.push(chunk);
    this.pass(chunk);
  }

  /** Passes on what nobody follows. */
  pass(chunk: Buffer): void {
    this.lastMs = this.#wheel.now;
    this.#passed.add(chunk.length);
    if (chunk.length === 0 || this.#to.write(chunk)) return;
    this.#heldMs = this.#wheel.now;
    this.endpoint.pause();
  }

  drained(): void {
    this.#other?.release();
  }

  ended(): void {
    this.#onEnd(null);
    this.#to.end();
  }

  closed(code: string | null): void {
    this.gone = true;
    this.#onEnd(code);
    if (this.#other?.gone !== false) return;
    // RST stays RST, behind what is still on its way; so does an orderly close.
    if (code === null) this.#to.close();
    else this.#to.abort();
  }

  /**
   * What is left of an idle limit, null where there is none. While we do not read this side its silence is not its own:
   * then the limit is the other one's, to take what it was sent.
   */
  leftMs(limitMs: number | null): number | null {
    if (limitMs === null) return null;
    if (this.#heldMs !== null) return this.#heldMs + Math.max(limitMs, LONGEST_STALL_MS) - this.#wheel.now;
    return this.lastMs + limitMs - this.#wheel.now;
  }

  /** It is not read, because the other side takes nothing. */
  get isHeld(): boolean {
    return this.#heldMs !== null;
  }

  release(): void {
    this.#heldMs = null;
    this.lastMs = this.#wheel.now;
    this.endpoint.resume();
  }
}
