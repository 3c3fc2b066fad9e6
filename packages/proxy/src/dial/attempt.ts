import type { Timer, TimerWheel } from '../clock.ts';
import { type Endpoint, NOBODY } from '../endpoint.ts';
import type { Answer, DialScript } from './script.ts';
import { type OpenStream, openStream, type StreamOrder } from './stream.ts';

/** What a session saw of a server. Only `dial` and `connack_timeout` speak against it: clients can provoke the rest. */
export type Sight = 'accepted' | 'dial' | 'connack_timeout' | 'refused' | 'closed';

/** What became of one attempt at one server. */
export type Attempt =
  /** The endpoint is open, paused, and the caller's. */
  | {
      readonly kind: 'answered';
      readonly answer: Answer;
      readonly server: Endpoint;
      readonly toClient: Buffer;
      readonly mqtt: Buffer;
      readonly times: DialTimes;
    }
  /** The stream could not be opened: refused, unreachable, TLS failed, or not within the deadline (`ETIMEDOUT`). */
  | { readonly kind: 'dial'; readonly code: string }
  /** This host's own trouble: no ports, descriptors or memory left. Says nothing about the server. */
  | { readonly kind: 'local'; readonly code: string }
  | { readonly kind: 'connack_timeout' }
  /** The server closed the connection without an answer. */
  | { readonly kind: 'closed'; readonly code: string | null }
  /** Its first packet is no answer to a CONNECT. */
  | { readonly kind: 'garbage'; readonly detail: string }
  | { readonly kind: 'cancelled' };

export interface DialTimes {
  /** Milliseconds from the start of the attempt until the stream was open, TLS included. */
  readonly connectMs: number;
  /** … until the answer was whole. */
  readonly connackMs: number;
}

export interface DialOrder extends StreamOrder {
  readonly script: DialScript;
  readonly connectMs: number;
  readonly connackMs: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * A client of TLS 1.3 has finished before the server has looked at its certificate: an alert instead of the answer is the
 * handshake's failure, and nothing that the client behind us could provoke.
 */
function closed(code: string | null): Attempt {
  return code?.startsWith('ERR_SSL_') ? { kind: 'dial', code } : { kind: 'closed', code };
}

/** An attempt under way. */
export class Dialing {
  readonly result: Promise<Attempt>;
  readonly #order: DialOrder;
  readonly #stream: OpenStream;
  readonly #wheel: TimerWheel;
  readonly #startedMs: number = performance.now();
  #openedMs = 0;
  #timer: Timer;
  #settle: ((attempt: Attempt) => void) | null = null;

  constructor(order: DialOrder, wheel: TimerWheel) {
    this.#order = order;
    this.#wheel = wheel;
    this.result = new Promise(resolve => {
      this.#settle = resolve;
    });
    this.#timer = wheel.after(order.connectMs, () => this.#fail({ kind: 'dial', code: 'ETIMEDOUT' }));
    this.#stream = openStream(order, order.script.first, {
      opened: server => this.#opened(server),
      failed: (code, isLocal) => this.#fail({ kind: isLocal ? 'local' : 'dial', code }),
    });
  }

  /** Ends the attempt; the result is `cancelled`. Does nothing when there is a result already. */
  cancel(): void {
    this.#fail({ kind: 'cancelled' });
  }

  #opened(server: Endpoint): void {
    this.#openedMs = performance.now();
    this.#timer.cancel();
    if (this.#order.script.isSilent) {
      this.#answered(server, { kind: 'none' }, NOTHING, NOTHING);
      return;
    }
    this.#timer = this.#wheel.after(this.#order.connackMs, () => this.#fail({ kind: 'connack_timeout' }));
    server.attach({
      bytes: chunk => this.#read(server, chunk),
      drained() {},
      ended: () => this.#fail({ kind: 'closed', code: null }),
      closed: code => this.#fail(closed(code)),
    });
    server.resume();
  }

  #read(server: Endpoint, chunk: Buffer): void {
    const step = this.#order.script.read(chunk);
    switch (step.kind) {
      case 'more':
        break;
      case 'say':
        server.write(step.bytes);
        break;
      case 'bad':
        this.#fail({ kind: 'garbage', detail: step.detail });
        break;
      case 'answered':
        server.pause();
        this.#answered(server, step.answer, step.toClient, step.mqtt);
    }
  }

  #answered(server: Endpoint, answer: Answer, toClient: Buffer, mqtt: Buffer): void {
    this.#timer.cancel();
    const settle = this.#settle;
    this.#settle = null;
    const connectMs = this.#openedMs - this.#startedMs;
    const times = { connectMs, connackMs: performance.now() - this.#startedMs };
    settle?.({ kind: 'answered', answer, server, toClient, mqtt, times });
  }

  #fail(attempt: Attempt): void {
    const settle = this.#settle;
    if (settle === null) return;
    this.#settle = null;
    this.#timer.cancel();
    settle(attempt);
    this.#stream.endpoint()?.attach(NOBODY);
    this.#stream.reset();
  }
}

/** Starts an attempt. Errors are results; nothing is thrown. */
export function dial(order: DialOrder, wheel: TimerWheel): Dialing {
  return new Dialing(order, wheel);
}
