import type { TimerWheel } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import { LimpetError } from '../errors.ts';
import type { PrereadPool } from '../preread_pool.ts';
import type { TlsFacts, WebSocketFacts } from '../stages.ts';
import { acceptTls, type TlsFailure } from '../tls/accept_tls.ts';
import type { TlsContexts } from '../tls/contexts.ts';
import type { HandshakeGate } from '../tls/handshake_gate.ts';
import { tlsEndpoint } from '../tls/tls_endpoint.ts';
import { acceptWebSocket, type Upgraded } from '../websocket/accept_websocket.ts';
import type { Accepted } from './accepted.ts';
import type { Entry } from './entry.ts';

/** What a worker lends to those who arrive. */
export interface ArrivalShop {
  readonly wheel: TimerWheel;
  readonly pool: PrereadPool;
  readonly handshakes: HandshakeGate;
}

/** A connection down to MQTT, and what is between TCP and that told. */
export interface Stream {
  readonly client: Endpoint;
  readonly tls: TlsFacts | null;
  readonly websocket: WebSocketFacts | null;
}

export type LayerFailure = TlsFailure | `websocket_${Extract<Upgraded, { kind: 'failed' }>['reason']}`;

export type Layered =
  | { readonly kind: 'open'; readonly stream: Stream }
  /** Closed already. */
  | { readonly kind: 'failed'; readonly reason: LayerFailure; readonly detail: string }
  /** Closed already: it went without a word, or was cancelled. */
  | { readonly kind: 'gone' };

const GONE: Layered = { kind: 'gone' };

/** What a bind has between TCP and MQTT: TLS, WebSocket, both or neither. For one connection. */
export class Layers {
  readonly #accepted: Accepted;
  readonly #entry: Entry;
  readonly #shop: ArrivalShop;
  readonly #acceptedAtMs: number;
  /** What open() waits for. */
  #waiting: { cancel(): void } | null = null;

  /** `acceptedAtMs`: from then on the frontend's `handshakeMs` count, by `performance.now()`. */
  constructor(accepted: Accepted, entry: Entry, shop: ArrivalShop, acceptedAtMs: number) {
    this.#accepted = accepted;
    this.#entry = entry;
    this.#shop = shop;
    this.#acceptedAtMs = acceptedAtMs;
  }

  /** Ends it: open() answers `gone`. False: it waits for nothing, and nothing is done. */
  cancel(): boolean {
    const waiting = this.#waiting;
    waiting?.cancel();
    return waiting !== null;
  }

  /**
   * Once. `plain`: the connection's endpoint, where it has been made already; `told`: what a balancer in front has told of TLS.
   * @throws LimpetError NO_TLS_SOCKET, which is a bug
   */
  async open(plain: Endpoint | null, told: TlsFacts | null): Promise<Layered> {
    const { tls: contexts } = this.#entry;
    if (contexts === null || plain !== null) return await this.#upgrade(plain ?? this.#accepted.open(0), told);
    const { socket } = this.#accepted;
    if (socket === null) throw noSocket(this.#entry.bind.label);
    const accepting = this.#secure(socket, contexts);
    this.#waiting = accepting;
    const accepted = await accepting.result;
    this.#waiting = null;
    if (accepted.kind === 'open') return await this.#upgrade(tlsEndpoint(accepted.socket, socket), accepted.facts);
    if (accepted.reason === 'silent' || accepted.reason === 'cancelled') return GONE;
    return { kind: 'failed', reason: accepted.reason, detail: accepted.detail };
  }

  #secure(socket: NonNullable<Accepted['socket']>, contexts: TlsContexts): ReturnType<typeof acceptTls> {
    const { wheel, handshakes: gate, pool } = this.#shop;
    const { handshakeMs } = this.#entry.frontend;
    return acceptTls(socket, contexts, { acceptedAtMs: this.#acceptedAtMs, handshakeMs, wheel, gate, pool });
  }

  async #upgrade(inner: Endpoint, tls: TlsFacts | null): Promise<Layered> {
    const { bind, frontend, recordBytes } = this.#entry;
    if (bind.websocket === null) return { kind: 'open', stream: { client: inner, tls, websocket: null } };
    const deadlineMs = Math.max(0, this.#acceptedAtMs + frontend.handshakeMs - performance.now());
    const upgrading = acceptWebSocket(inner, bind.websocket, { deadlineMs, recordBytes, wheel: this.#shop.wheel });
    this.#waiting = upgrading;
    const upgraded = await upgrading.result;
    this.#waiting = null;
    if (upgraded.kind === 'open') {
      return { kind: 'open', stream: { client: upgraded.endpoint, tls, websocket: upgraded.facts } };
    }
    if (upgraded.reason === 'cancelled' || (upgraded.reason === 'left' && inner.bytesIn === 0)) return GONE;
    return { kind: 'failed', reason: `websocket_${upgraded.reason}`, detail: upgraded.detail };
  }
}

function noSocket(bind: string): LimpetError {
  const remedy = 'this is a bug of Limpet: clients of such a bind are accepted by Node';
  return new LimpetError('NO_TLS_SOCKET', `a client of ${bind} came in without a socket for TLS`, remedy);
}
