import type { TimerWheel } from '../clock.ts';
import type { PrereadPool } from '../preread_pool.ts';
import type { Hello, Inbound } from '../stages.ts';
import { ConnectReader } from './connect_reader.ts';
import type { Refusal } from './refusal.ts';

export type Preread =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'bad'; readonly refusal: Refusal }
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
 * TLS and WebSocket handshakes; bytes that trickle do not move it. The client's endpoint is paused again when the result is there.
 */
export function readHello(inbound: Inbound, pool: PrereadPool, wheel: TimerWheel): Prereading {
  const { client, frontend } = inbound;
  let settle: ((preread: Preread) => void) | null = null;
  const result = new Promise<Preread>(resolve => {
    settle = resolve;
  });
  const end = (preread: Preread): void => {
    if (settle === null) return;
    const resolve = settle;
    settle = null;
    timer.cancel();
    reader.release();
    client.pause();
    resolve(preread);
  };
  const reader = new ConnectReader({ maxSizeBytes: frontend.maxConnectSizeBytes }, pool, refusal =>
    end({ kind: 'bad', refusal }),
  );
  const timer = wheel.after(inbound.openedAtMs + frontend.inspectMs - performance.now(), () =>
    end({ kind: 'bad', refusal: reader.tooLate() }),
  );
  const left = (): void =>
    end(reader.receivedBytes === 0 ? { kind: 'silent' } : { kind: 'bad', refusal: reader.closedEarly() });
  client.attach({
    bytes(chunk) {
      const step = reader.push(chunk);
      if (step.kind !== 'more') end(step);
    },
    drained() {},
    ended: left,
    closed: left,
  });
  client.resume();
  return { result, cancel: () => end({ kind: 'silent' }) };
}
