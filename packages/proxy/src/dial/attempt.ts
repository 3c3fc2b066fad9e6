import { connect } from 'node:net';
import type { Timer, TimerWheel } from '../clock.ts';
import { type Endpoint, NOBODY } from '../endpoint.ts';
import { TcpEndpoint } from '../tcp_endpoint.ts';
import { type ConnackReading, readConnack } from './connack.ts';

/** What a session saw of a server. Only `dial` and `connack_timeout` speak against it: clients can provoke the rest. */
export type Sight = 'accepted' | 'dial' | 'connack_timeout' | 'refused' | 'closed';

/** What became of one attempt at one server. In the first three the endpoint is open, paused, and the caller's. */
export type Attempt =
  | {
      readonly kind: 'answered';
      readonly answer: Answer;
      readonly server: Endpoint;
      readonly bytes: Buffer;
      readonly times: DialTimes;
    }
  /** The connection could not be made: refused, unreachable, or not within the deadline (`ETIMEDOUT`). */
  | { readonly kind: 'dial'; readonly code: string }
  /** This host's own trouble: no ports, descriptors or memory left. Says nothing about the server. */
  | { readonly kind: 'local'; readonly code: string }
  | { readonly kind: 'connack_timeout' }
  /** The server closed the connection without an answer. */
  | { readonly kind: 'closed'; readonly code: string | null }
  /** Its first packet is no answer to a CONNECT. */
  | { readonly kind: 'garbage'; readonly detail: string }
  | { readonly kind: 'cancelled' };

export type Answer = Exclude<ConnackReading, { kind: 'more' } | { kind: 'bad' }>;

export interface DialTimes {
  /** Milliseconds from the start of the attempt until connected. */
  readonly connectMs: number;
  /** … until the first packet was whole. */
  readonly connackMs: number;
}

export interface DialOrder {
  readonly address: string;
  readonly port: number;
  /** PROXY header, CONNECT and what the client sent behind it: one write. */
  readonly first: Buffer;
  readonly version: 3 | 4 | 5;
  readonly connectMs: number;
  readonly connackMs: number;
}

const LOCAL_TROUBLE = new Set([
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EAGAIN',
  'EACCES',
  'EPERM',
]);

/** An attempt under way. */
export class Dialing {
  readonly result: Promise<Attempt>;
  readonly #order: DialOrder;
  readonly #server: Endpoint;
  readonly #wheel: TimerWheel;
  readonly #startedMs: number = performance.now();
  #connectedMs = 0;
  #timer: Timer;
  #received: Buffer[] = [];
  #settle: ((attempt: Attempt) => void) | null = null;

  constructor(order: DialOrder, wheel: TimerWheel) {
    this.#order = order;
    this.#wheel = wheel;
    this.result = new Promise(resolve => {
      this.#settle = resolve;
    });
    const socket = connect({ host: order.address, port: order.port, allowHalfOpen: true, noDelay: true });
    this.#server = new TcpEndpoint(socket);
    this.#timer = wheel.after(order.connectMs, () => this.#fail({ kind: 'dial', code: 'ETIMEDOUT' }));
    socket.once('connect', () => this.#connected());
    this.#server.attach({
      bytes: chunk => this.#read(chunk),
      drained() {},
      ended: () => this.#fail({ kind: 'closed', code: null }),
      closed: code => this.#closed(code),
    });
  }

  /** Ends the attempt; the result is `cancelled`. Does nothing when there is a result already. */
  cancel(): void {
    this.#fail({ kind: 'cancelled' });
  }

  #connected(): void {
    this.#connectedMs = performance.now();
    this.#timer.cancel();
    this.#timer = this.#wheel.after(this.#order.connackMs, () => this.#fail({ kind: 'connack_timeout' }));
    this.#server.write(this.#order.first);
    this.#server.resume();
  }

  #read(chunk: Buffer): void {
    this.#received.push(chunk);
    const [only] = this.#received;
    const bytes = this.#received.length === 1 && only !== undefined ? only : Buffer.concat(this.#received);
    if (this.#received.length > 1) this.#received = [bytes];
    const reading = readConnack(bytes, this.#order.version);
    if (reading.kind === 'more') return;
    if (reading.kind === 'bad') {
      this.#fail({ kind: 'garbage', detail: reading.detail });
      return;
    }
    this.#timer.cancel();
    this.#server.pause();
    const connectMs = this.#connectedMs - this.#startedMs;
    const times = { connectMs, connackMs: performance.now() - this.#startedMs };
    const settle = this.#settle;
    this.#settle = null;
    settle?.({ kind: 'answered', answer: reading, server: this.#server, bytes, times });
  }

  #closed(code: string | null): void {
    if (this.#connectedMs === 0) this.#fail(failedDial(code ?? 'ECONNREFUSED'));
    else this.#fail({ kind: 'closed', code });
  }

  #fail(attempt: Attempt): void {
    const settle = this.#settle;
    if (settle === null) return;
    this.#settle = null;
    this.#timer.cancel();
    settle(attempt);
    this.#server.attach(NOBODY);
    this.#server.reset();
  }
}

function failedDial(code: string): Attempt {
  return LOCAL_TROUBLE.has(code) ? { kind: 'local', code } : { kind: 'dial', code };
}

/** Starts an attempt. Errors are results; nothing is thrown. */
export function dial(order: DialOrder, wheel: TimerWheel): Dialing {
  return new Dialing(order, wheel);
}
