import type { Timer, TimerWheel } from '../clock.ts';
import type { PrereadPool } from '../preread_pool.ts';
import type { Hello, Inbound } from '../stages.ts';
import { ConnectReader } from './connect_reader.ts';
import { MessageTail } from './message_tail.ts';
import type { Refusal } from './refusal.ts';

export type Preread =
  | { readonly kind: 'hello'; readonly hello: Hello }
  /** `receivedBytes`: how many had come; `head`: the first of them in hex, where the CONNECT was malformed. */
  | { readonly kind: 'bad'; readonly refusal: Refusal; readonly receivedBytes: number; readonly head: string }
  /** It came and went without a byte: a port check, not a client. */
  | { readonly kind: 'silent' };

/** A preread under way. */
export interface Prereading {
  readonly result: Promise<Preread>;
  /** Ends it: the result is `silent`. */
  cancel(): void;
}

/**
 * Reads until the CONNECT is whole, is bad, or is late. The deadline counts from accept, or from the end of
 * TLS and WebSocket handshakes; bytes that trickle do not move it. Of a WebSocket client whose frames a broker wants to
 * see, until the message that the CONNECT ends in is whole, too. The client's endpoint is paused again when the result is there.
 */
export function readHello(inbound: Inbound, pool: PrereadPool, wheel: TimerWheel): Prereading {
  return new Reading(inbound, pool, wheel);
}

class Reading implements Prereading {
  readonly result: Promise<Preread>;
  readonly #inbound: Inbound;
  readonly #pool: PrereadPool;
  readonly #reader: ConnectReader;
  readonly #deadline: Timer;
  /** Only where brokers get the client's own frames. */
  #tail: MessageTail | null = null;
  #settle: ((preread: Preread) => void) | null = null;

  constructor(inbound: Inbound, pool: PrereadPool, wheel: TimerWheel) {
    const { client, frontend, openedAtMs } = inbound;
    this.#inbound = inbound;
    this.#pool = pool;
    this.result = new Promise(resolve => {
      this.#settle = resolve;
    });
    this.#reader = new ConnectReader({ maxSizeBytes: frontend.maxConnectSizeBytes }, pool, this.#refuse);
    const leftMs = openedAtMs + frontend.inspectMs - performance.now();
    this.#deadline = wheel.after(leftMs, () => this.#refuse((this.#tail ?? this.#reader).tooLate()));
    const left = (): void => this.#left();
    client.attach({ bytes: chunk => this.#read(chunk), drained() {}, ended: left, closed: left });
    client.resume();
  }

  cancel(): void {
    this.#end({ kind: 'silent' });
  }

  #read(chunk: Buffer): void {
    if (this.#tail !== null) {
      this.#readTail(this.#tail, chunk);
      return;
    }
    const step = this.#reader.push(chunk);
    if (step.kind === 'more') return;
    if (step.kind === 'bad') {
      this.#refuse(step.refusal);
      return;
    }
    if (this.#isMessageWhole()) {
      this.#end(step);
      return;
    }
    this.#tail = new MessageTail(step.hello.connect, this.#pool, this.#refuse);
    this.#readTail(this.#tail, step.hello.bytes);
  }

  #readTail(tail: MessageTail, chunk: Buffer): void {
    const refusal = tail.push(chunk);
    if (refusal !== null) this.#refuse(refusal);
    else if (this.#isMessageWhole()) this.#end({ kind: 'hello', hello: tail.hello() });
  }

  /** Whether the CONNECT ends in a WebSocket message that is whole, or in none. */
  #isMessageWhole(): boolean {
    const { websocket } = this.#inbound;
    return websocket === null || websocket.wholeBytes() >= (this.#reader.packetBytes ?? 0);
  }

  #left(): void {
    if (this.#reader.receivedBytes === 0) this.#end({ kind: 'silent' });
    else this.#refuse((this.#tail ?? this.#reader).closedEarly());
  }

  readonly #refuse = (refusal: Refusal): void => {
    const { receivedBytes, shownHead } = this.#reader;
    this.#end({ kind: 'bad', refusal, receivedBytes, head: shownHead });
  };

  #end(preread: Preread): void {
    const settle = this.#settle;
    if (settle === null) return;
    this.#settle = null;
    this.#deadline.cancel();
    this.#reader.release();
    if (preread.kind === 'hello') this.#tail?.release();
    else this.#tail?.discard();
    this.#inbound.client.pause();
    settle(preread);
  }
}
