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
  | { readonly kind: 'broken'; readonly detail: string };

const AUTH = 0xf0;
/** More than any authentication method sends in one packet; a broker that sends more is cut off. */
const LONGEST_PACKET = 128 * 1024;
/** No method takes more rounds than a few; each has its own deadline. */
const MOST_STEPS = 10;

/**
 * MQTT 5.0 enhanced authentication (4.12): AUTH packets go both ways until the broker sends its CONNACK. They pass
 * untouched; only the broker's are looked at, for their type and length. `stepMs` is the deadline from one of its packets
 * to the next; there are ten at most. Bytes of the client, or parts of a packet, do not move it.
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
  #steps = 0;

  constructor(client: Endpoint, server: Endpoint, stepMs: number, wheel: TimerWheel, resolve: (end: AuthEnd) => void) {
    this.#client = client;
    this.#server = server;
    this.#stepMs = stepMs;
    this.#wheel = wheel;
    this.#resolve = resolve;
  }

  start(first: Buffer): void {
    const clientLeft = (): void => this.#break('closed by the client');
    const serverLeft = (): void => this.#break('closed by the server');
    this.#client.attach({
      bytes: chunk => this.#fromClient(chunk),
      drained: () => this.#server.resume(),
      ended: clientLeft,
      closed: clientLeft,
    });
    this.#server.attach({
      bytes: chunk => this.#fromServer(chunk),
      drained: () => this.#client.resume(),
      ended: serverLeft,
      closed: serverLeft,
    });
    this.#step();
    this.#client.resume();
    this.#server.resume();
    this.#fromServer(first);
  }

  cancel(): void {
    this.#break('stopped');
  }

  #fromClient(chunk: Buffer): void {
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
    else if (this.#waiting.length > LONGEST_PACKET) this.#break('a packet of more than 128 KiB');
  }

  #step(): void {
    this.#timer?.cancel();
    this.#steps += 1;
    if (this.#steps > MOST_STEPS) this.#break('too many AUTH packets');
    else this.#timer = this.#wheel.after(this.#stepMs, () => this.#break('no AUTH or CONNACK in time'));
  }

  #break(detail: string): void {
    this.#end({ kind: 'broken', detail });
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
  return { kind: 'broken', detail: 'neither AUTH nor CONNACK' };
}

/** The length of the packet that begins here, if it is whole. */
function wholePacket(bytes: Buffer): number | null {
  const length = readVarInt(bytes, 1);
  if (length.kind !== 'value' || bytes.length < length.end + length.value) return null;
  return length.end + length.value;
}
