import type { Timer, TimerWheel } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import { readVarInt } from '../varint.ts';
import { type ConnackReading, readConnack } from './connack.ts';

type Accepted = Extract<ConnackReading, { kind: 'accepted' }>;

export type AuthEnd =
  /** The CONNACK and what came behind it; none of it has reached the client yet. Both sides are paused. */
  | { readonly kind: 'accepted'; readonly answer: Accepted; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly code: number; readonly bytes: Buffer }
  /** A side went away, kept the other waiting, or sent what does not belong here. */
  | { readonly kind: 'broken' };

const AUTH = 0xf0;
/** More than any authentication method sends in one packet; a broker that sends more is cut off. */
const LONGEST_PACKET = 128 * 1024;
const BROKEN: AuthEnd = { kind: 'broken' };

/**
 * MQTT 5.0 enhanced authentication (4.12): AUTH packets go both ways until the broker sends its CONNACK. They pass
 * untouched; only the broker's are looked at, for their type and length. `stepMs` is the deadline of each step.
 */
export function exchangeAuth(
  client: Endpoint,
  server: Endpoint,
  first: Buffer,
  stepMs: number,
  wheel: TimerWheel,
): Authenticating {
  let exchange: AuthExchange | null = null;
  const result = new Promise<AuthEnd>(resolve => {
    exchange = new AuthExchange(client, server, stepMs, wheel, resolve);
    exchange.start(first);
  });
  return { result, cancel: () => exchange?.cancel() };
}

/** An exchange under way. */
export interface Authenticating {
  readonly result: Promise<AuthEnd>;
  /** Ends it as `broken`. */
  cancel(): void;
}

class AuthExchange {
  readonly #client: Endpoint;
  readonly #server: Endpoint;
  readonly #stepMs: number;
  readonly #wheel: TimerWheel;
  readonly #resolve: (end: AuthEnd) => void;
  #waiting: Buffer = Buffer.alloc(0);
  #timer: Timer | null = null;
  #ended = false;

  constructor(client: Endpoint, server: Endpoint, stepMs: number, wheel: TimerWheel, resolve: (end: AuthEnd) => void) {
    this.#client = client;
    this.#server = server;
    this.#stepMs = stepMs;
    this.#wheel = wheel;
    this.#resolve = resolve;
  }

  start(first: Buffer): void {
    const broken = { ended: () => this.#end(BROKEN), closed: () => this.#end(BROKEN) };
    this.#client.attach({
      bytes: chunk => this.#fromClient(chunk),
      drained: () => this.#server.resume(),
      ...broken,
    });
    this.#server.attach({
      bytes: chunk => this.#fromServer(chunk),
      drained: () => this.#client.resume(),
      ...broken,
    });
    this.#step();
    this.#client.resume();
    this.#server.resume();
    this.#fromServer(first);
  }

  cancel(): void {
    this.#end(BROKEN);
  }

  #fromClient(chunk: Buffer): void {
    this.#step();
    if (!this.#server.write(chunk)) this.#client.pause();
  }

  #fromServer(chunk: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    let length = wholePacket(this.#waiting);
    while (length !== null && this.#waiting[0] === AUTH) {
      this.#step();
      if (!this.#client.write(this.#waiting.subarray(0, length))) this.#server.pause();
      this.#waiting = this.#waiting.subarray(length);
      length = wholePacket(this.#waiting);
    }
    if (length !== null) this.#end(answerOf(this.#waiting));
    else if (this.#waiting.length > LONGEST_PACKET) this.#end(BROKEN);
  }

  #step(): void {
    this.#timer?.cancel();
    this.#timer = this.#wheel.after(this.#stepMs, () => this.#end(BROKEN));
  }

  #end(end: AuthEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#client.pause();
    this.#server.pause();
    this.#resolve(end);
  }
}

function answerOf(bytes: Buffer): AuthEnd {
  const reading = readConnack(bytes, 5);
  if (reading.kind === 'accepted') return { kind: 'accepted', answer: reading, bytes };
  if (reading.kind === 'refused') return { kind: 'refused', code: reading.code, bytes };
  return BROKEN;
}

/** The length of the packet that begins here, if it is whole. */
function wholePacket(bytes: Buffer): number | null {
  const length = readVarInt(bytes, 1);
  if (length.kind !== 'value' || bytes.length < length.end + length.value) return null;
  return length.end + length.value;
}
