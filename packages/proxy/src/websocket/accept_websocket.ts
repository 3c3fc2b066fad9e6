import type { TimerWheel } from '../clock.ts';
import type { WebSocketBindConfig } from '../config/resolved.ts';
import type { Endpoint } from '../endpoint.ts';
import type { WebSocketFacts } from '../stages.ts';
import type { Field } from './http_head.ts';
import { lingerThenReset } from './linger.ts';
import { type RefusedStatus, switchingProtocols, upgradeRefused } from './upgrade_accept.ts';
import { type SubProtocol, type UpgradeFault, type UpgradeRequest, UpgradeRequestReader } from './upgrade_request.ts';
import { WebSocketEndpoint, type WebSocketOptions } from './websocket_endpoint.ts';

export interface AcceptOptions extends Pick<WebSocketOptions, 'wheel' | 'recordBytes'> {
  /** From now until the request is whole; bytes that trickle do not move it. */
  readonly deadlineMs: number;
}

export type Upgraded =
  | { readonly kind: 'open'; readonly endpoint: WebSocketEndpoint; readonly facts: OpenWebSocket }
  /** The inner endpoint is closed already. `status` is what the client was told, null: nothing. */
  | {
      readonly kind: 'failed';
      readonly status: RefusedStatus | null;
      readonly reason: UpgradeFault | 'too_late' | 'left' | 'cancelled';
      /** Nothing that the client wrote is in it. */
      readonly detail: string;
    };

/** An upgrade under way. */
export interface Upgrading {
  readonly result: Promise<Upgraded>;
  /** Ends it: the result is `cancelled`. Does nothing when there is a result already. */
  cancel(): void;
}

/** The facts of an upgrade, with what a broker of its own WebSocket listener needs. */
export class OpenWebSocket implements WebSocketFacts {
  readonly path: string;
  readonly protocol: SubProtocol;
  readonly #endpoint: WebSocketEndpoint;
  #headers: readonly Field[];
  #query: string;

  constructor({ path, protocol, fields, query }: UpgradeRequest, endpoint: WebSocketEndpoint) {
    this.path = path;
    this.protocol = protocol;
    this.#headers = fields;
    this.#query = query;
    this.#endpoint = endpoint;
  }

  /** Empty after forget(). They may hold tokens: never to be logged. */
  get headers(): readonly Field[] {
    return this.#headers;
  }

  /** `?` and what followed it in the request, or empty, as it is after forget(). Never to be logged. */
  get query(): string {
    return this.#query;
  }

  frames(): Buffer {
    return this.#endpoint.frames();
  }

  wholeBytes(): number {
    return this.#endpoint.wholeBytes;
  }

  /** Throws a LimpetError after forget(), and where nothing was recorded. */
  passThrough(): { readonly endpoint: Endpoint; readonly frames: Buffer } {
    const passed = this.#endpoint.passThrough();
    this.forget();
    return passed;
  }

  /** The client has its broker, and nothing will be replayed: a session that lasts for months need not keep it all. */
  forget(): void {
    this.#headers = [];
    this.#query = '';
    this.#endpoint.forget();
  }
}

/**
 * Reads the upgrade request of a client that has just connected, and answers it. Takes over the inner endpoint, which is
 * open and paused; it is the WebSocket endpoint's then, or closed when the result is there. Never rejects.
 */
export function acceptWebSocket(inner: Endpoint, bind: WebSocketBindConfig, options: AcceptOptions): Upgrading {
  let settle: ((upgraded: Upgraded) => void) | null = null;
  const result = new Promise<Upgraded>(resolve => {
    settle = resolve;
  });
  /** Once; null when it was called before. */
  const decide = (): ((upgraded: Upgraded) => void) | null => {
    const resolve = settle;
    settle = null;
    timer.cancel();
    inner.pause();
    return resolve;
  };
  const fail = (failed: Extract<Upgraded, { kind: 'failed' }>): void => {
    const resolve = decide();
    if (resolve !== null) void refuse(inner, failed, options.wheel).then(() => resolve(failed));
  };
  const open = (request: UpgradeRequest, rest: Buffer): void => {
    const resolve = decide();
    if (resolve === null) return;
    inner.write(switchingProtocols(request));
    const endpoint = new WebSocketEndpoint(inner, rest, { ...options, idleMs: bind.idleMs });
    resolve({ kind: 'open', endpoint, facts: new OpenWebSocket(request, endpoint) });
  };
  const left = (): void =>
    fail({ kind: 'failed', status: null, reason: 'left', detail: 'left before its request was whole' });
  const timer = options.wheel.after(options.deadlineMs, () =>
    fail({ kind: 'failed', status: 408, reason: 'too_late', detail: 'no whole upgrade request within the deadline' }),
  );
  const reader = new UpgradeRequestReader(bind);
  inner.attach({
    bytes(chunk) {
      const reading = reader.push(chunk);
      if (reading.kind === 'request') open(reading.request, reading.rest);
      else if (reading.kind === 'bad') fail({ ...reading, kind: 'failed' });
    },
    drained() {},
    ended: left,
    closed: left,
  });
  inner.resume();
  const cancel = (): void => {
    fail({ kind: 'failed', status: null, reason: 'cancelled', detail: 'stopped before its request was whole' });
  };
  return { result, cancel };
}

async function refuse(
  inner: Endpoint,
  failed: Extract<Upgraded, { kind: 'failed' }>,
  wheel: TimerWheel,
): Promise<void> {
  if (failed.status !== null) inner.write(upgradeRefused(failed.status));
  if (failed.reason === 'cancelled') inner.reset();
  await lingerThenReset(inner, wheel);
}
