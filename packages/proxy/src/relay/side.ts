import type { TimerWheel } from '../clock.ts';
import type { Endpoint, EndpointListener } from '../endpoint.ts';

/** One side of a relay: hears its endpoint and passes on to the other one. */
export class Side implements EndpointListener {
  readonly endpoint: Endpoint;
  /** Both directions are closed. */
  gone = false;
  /** When this side last sent a byte, in the wheel's time. */
  lastMs: number;
  readonly #to: Endpoint;
  readonly #wheel: TimerWheel;
  /** We do not read this side, because the other one is slow. */
  #held = false;
  #other: Side | null = null;
  #onEnd: (code: string | null) => void = () => {};

  constructor(endpoint: Endpoint, to: Endpoint, wheel: TimerWheel) {
    this.endpoint = endpoint;
    this.#to = to;
    this.#wheel = wheel;
    this.lastMs = wheel.now;
  }

  /** `onEnd` is called at FIN and at close; the first call says how it ended. */
  attach(other: Side, onEnd: (code: string | null) => void): void {
    this.#other = other;
    this.#onEnd = onEnd;
    this.endpoint.attach(this);
  }

  start(): void {
    if (!this.#held) this.endpoint.resume();
  }

  bytes(chunk: Buffer): void {
    this.lastMs = this.#wheel.now;
    if (chunk.length === 0 || this.#to.write(chunk)) return;
    this.#held = true;
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

  /** What is left of an idle limit, null where there is none. Silence that we cause ourselves does not count. */
  leftMs(limitMs: number | null): number | null {
    if (limitMs === null) return null;
    if (this.#held) this.lastMs = this.#wheel.now;
    return this.lastMs + limitMs - this.#wheel.now;
  }

  release(): void {
    this.#held = false;
    this.lastMs = this.#wheel.now;
    this.endpoint.resume();
  }
}
