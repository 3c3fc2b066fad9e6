import type { TimerWheel } from './clock.ts';

/**
 * One side of a session: an open, ordered, reliable stream of bytes in each direction. Plain TCP today; TLS and
 * WebSocket look the same from here, so nothing behind this line knows which it is.
 *
 * An endpoint starts paused. It belongs to the stage that holds it; whoever holds it last closes it.
 */
export interface Endpoint {
  /** Names who is told from now on; the one before hears nothing more. */
  attach(listener: EndpointListener): void;
  /** Bytes and FIN may be told from now on. What came while paused is told first. */
  resume(): void;
  /** After this returns neither bytes nor the peer's FIN are told until resume(). */
  pause(): void;
  /** Sends bytes; the buffer must not change afterwards, unless it is lent (`lent_bytes.ts`). False: the peer is slow, wait for `drained`. */
  write(bytes: Buffer): boolean;
  /** Sends FIN behind everything written; the other direction stays open. May be called twice. */
  end(): void;
  /** Sends what is written, then closes both directions. A peer that does not take the bytes is the caller's to end. */
  close(): void;
  /** Sends what is written, then RST. A peer that does not take the bytes is the caller's to reset. */
  abort(): void;
  /** RST now: what is unsent is dropped. May be called at any time, twice too. */
  reset(): void;
  /** Turns on TCP keep-alive: the kernel asks after this much silence whether the peer is still there. */
  keepAlive(idleMs: number): void;
  /** Bytes received and bytes handed to the kernel or waiting for it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What an endpoint tells. `closed` comes once and last. */
export interface EndpointListener {
  /** It does no more with bytes than to write them before it returns: then they may be written over. */
  readonly passesOn?: boolean;
  /** Where it does not pass them on, the chunk is the hearer's: who told it looks at it no more. */
  bytes(chunk: Buffer): void;
  /** write() said false, and everything has gone now. */
  drained(): void;
  /** The peer sent FIN: no more bytes will come. */
  ended(): void;
  /** Both directions are gone. `code` is null after an orderly close, else the system's (`ECONNRESET`, `ETIMEDOUT`). */
  closed(code: string | null): void;
}

/** Hears nothing. */
export const NOBODY: EndpointListener = { bytes() {}, drained() {}, ended() {}, closed() {} };

/** Long enough for the last bytes on any line that is still alive. */
const FAREWELL_MS = 5000;

/** Closes an endpoint that nobody listens to any more; one whose peer does not take the last bytes is reset. */
export function closeSoon(endpoint: Endpoint, wheel: Pick<TimerWheel, 'after'>): void {
  const timer = wheel.after(FAREWELL_MS, () => endpoint.reset());
  endpoint.attach({ ...NOBODY, closed: () => timer.cancel() });
  endpoint.close();
}
