import type { Timer, TimerWheel } from '../clock.ts';
import type { EndpointListener } from '../endpoint.ts';
import type { PacketBoundary } from './packet_boundary.ts';
import type { Side } from './side.ts';

/** How long the end of a packet that is under way is awaited. */
const PACKET_MS = 2000;
/** How long a client may take to leave once it was told. */
const LEAVE_MS = 5000;
/** How long the last bytes may take then. */
const CLOSE_MS = 2000;

/** MQTT 5.0, 3.14: a DISCONNECT of the server, with a reason code and no properties. */
export function disconnectPacket(reason: number): Buffer {
  return Buffer.from([0xe0, 2, reason, 0]);
}

/** What the client is told, and where between the broker's packets. */
export interface LastWords {
  readonly words: Buffer;
  readonly boundary: PacketBoundary;
}

/**
 * The last seconds of a session that is asked to leave: hears the broker in the place of its side. The client is told
 * behind the packet that is under way, or is closed without a word where that does not end within 2 s; after that it gets
 * FIN and nothing more of the broker. What it still sends reaches the broker, until it closes, or 5 s are over. The broker
 * is never told a DISCONNECT that the client did not send: it publishes the Will.
 */
export class Farewell implements EndpointListener {
  readonly #client: Side;
  readonly #server: Side;
  readonly #last: LastWords | null;
  readonly #wheel: TimerWheel;
  #hasSpoken = false;
  #timer: Timer | null = null;

  /** `last` null: the client is closed without a word. */
  constructor(client: Side, server: Side, last: LastWords | null, wheel: TimerWheel) {
    this.#client = client;
    this.#server = server;
    this.#last = last;
    this.#wheel = wheel;
  }

  begin(): void {
    this.#server.endpoint.attach(this);
    if (this.#last === null || this.#last.boundary.isLost) this.#speak(null);
    else if (this.#last.boundary.isBetween) this.#speak(this.#last.words);
    else this.#timer = this.#wheel.after(PACKET_MS, () => this.#speak(null));
  }

  /** Nothing is left to end. */
  over(): void {
    this.#timer?.cancel();
  }

  bytes(chunk: Buffer): void {
    if (this.#hasSpoken || this.#last === null) return;
    const { boundary, words } = this.#last;
    const end = boundary.firstEnd(chunk);
    this.#server.pass(end === null ? chunk : chunk.subarray(0, end));
    if (end !== null) this.#speak(words);
    else if (boundary.isLost) this.#speak(null);
  }

  drained(): void {
    this.#server.drained();
  }

  ended(): void {
    this.#server.ended();
    if (!this.#hasSpoken) this.#speak(null);
  }

  closed(code: string | null): void {
    this.#hasSpoken = true;
    this.#server.closed(code);
  }

  #speak(words: Buffer | null): void {
    this.#hasSpoken = true;
    if (words !== null) this.#server.pass(words);
    this.#client.endpoint.end();
    this.#next(LEAVE_MS, () => this.#close());
  }

  #close(): void {
    this.#client.endpoint.close();
    this.#server.endpoint.close();
    this.#next(CLOSE_MS, () => {
      this.#client.endpoint.reset();
      this.#server.endpoint.reset();
    });
  }

  #next(afterMs: number, what: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#wheel.after(afterMs, what);
  }
}
