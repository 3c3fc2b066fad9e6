import type { TimerWheel } from '../clock.ts';
import type { PrereadPool } from '../preread_pool.ts';
import type { Inbound } from '../stages.ts';
import { readClientHello } from '../tls/client_hello.ts';

export type ServerNameEnd =
  /** `bytes`: everything that was read, to be passed on untouched. */
  | { readonly kind: 'hello'; readonly sni: string | null; readonly bytes: Buffer }
  | {
      readonly kind: 'bad';
      readonly reason: 'not_tls' | 'too_late' | 'closed_early' | 'preread_memory';
      readonly detail: string;
    }
  /** It came and went without a byte, or was stopped. */
  | { readonly kind: 'silent' };

/** Reading a ClientHello, under way. */
export interface ServerNameReading {
  readonly result: Promise<ServerNameEnd>;
  /** Ends it: the result is `silent`. */
  cancel(): void;
}

/** Chunks that are kept apart before they are joined: many small buffers would weigh more than their bytes. */
const MAX_CHUNKS = 64;

/** Reads until the ClientHello is whole. `timeout.inspect` counts from accept; the endpoint is paused again at the end. */
export function readServerName(inbound: Inbound, pool: PrereadPool, wheel: TimerWheel): ServerNameReading {
  const { client, frontend } = inbound;
  let chunks: Buffer[] = [];
  let held = 0;
  let atLeast = 1;
  let settle: ((end: ServerNameEnd) => void) | null = null;
  const result = new Promise<ServerNameEnd>(resolve => {
    settle = resolve;
  });
  const end = (how: ServerNameEnd): void => {
    const resolve = settle;
    settle = null;
    timer.cancel();
    pool.release(holder);
    client.pause();
    resolve?.(how);
  };
  const bad = (reason: Extract<ServerNameEnd, { kind: 'bad' }>['reason'], detail: string): void =>
    end({ kind: 'bad', reason, detail });
  const holder = { evict: () => bad('preread_memory', 'evicted: held the most of all') };
  const timer = wheel.after(inbound.openedAtMs + frontend.inspectMs - performance.now(), () =>
    bad('too_late', `no whole ClientHello in ${held} bytes`),
  );
  const left = (): void => (held === 0 ? end({ kind: 'silent' }) : bad('closed_early', `after ${held} bytes`));
  const read = (chunk: Buffer): void => {
    held += chunk.length;
    if (!pool.reserve(holder, held)) {
      bad('preread_memory', 'global.preread_memory is used up');
      return;
    }
    chunks.push(chunk);
    if (held < atLeast && chunks.length < MAX_CHUNKS) return;
    const bytes = Buffer.concat(chunks);
    chunks = [bytes];
    if (held < atLeast) return;
    const reading = readClientHello(bytes);
    if (reading.kind === 'more') atLeast = reading.atLeastBytes;
    else if (reading.kind === 'hello') end({ kind: 'hello', sni: reading.hello.sni, bytes });
    else bad('not_tls', reading.detail);
  };
  client.attach({ bytes: read, drained() {}, ended: left, closed: left });
  client.resume();
  return { result, cancel: () => end({ kind: 'silent' }) };
}
