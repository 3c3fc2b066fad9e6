import type { TimerWheel } from '../clock.ts';
import type { BindConfig, FrontendConfig } from '../config/resolved.ts';
import type { Endpoint } from '../endpoint.ts';
import { LimpetError } from '../errors.ts';
import { acceptProxy, type ProxyFailure } from '../gate/accept_proxy.ts';
import type { Access } from '../gate/access.ts';
import type { CidrSet } from '../gate/cidr.ts';
import type { GateAnswer, GateRefusal } from '../gate/gate_answer.ts';
import { type ProxyLink, tlsFactsOf } from '../gate/proxy_header.ts';
import type { PrereadPool } from '../preread_pool.ts';
import type { Address, Inbound, TlsFacts, WebSocketFacts } from '../stages.ts';
import { acceptTls, type TlsFailure } from '../tls/accept_tls.ts';
import type { TlsContexts } from '../tls/contexts.ts';
import type { HandshakeGate } from '../tls/handshake_gate.ts';
import { tlsEndpoint } from '../tls/tls_endpoint.ts';
import { acceptWebSocket, type Upgraded } from '../websocket/accept_websocket.ts';
import type { Accepted } from './accepted.ts';

/** Everything that belongs to one bind of one worker. */
export interface Entry {
  readonly frontend: FrontendConfig;
  readonly bind: BindConfig;
  /** The name under which the bind is counted. */
  readonly bindScope: string;
  readonly trusted: CidrSet;
  /** Peers whose X-Forwarded-For is passed on. */
  readonly forwarders: CidrSet;
  readonly access: (source: string) => Access;
  /** Null: no TLS here. */
  readonly tls: TlsContexts | null;
  /** What may be recorded of a WebSocket client's frames, for a broker that wants them; null: no broker does. */
  readonly recordBytes: number | null;
  /** Asks the primary whether this source may come in; null: nothing limits it. */
  readonly enter: ((session: number, source: string) => Promise<GateAnswer>) | null;
  /** It waits for that no more: the question is answered `gone`. */
  leave(session: number): void;
}

/** What a worker lends to those who arrive. */
export interface ArrivalShop {
  readonly wheel: TimerWheel;
  readonly pool: PrereadPool;
  readonly handshakes: HandshakeGate;
}

export type ArrivalRefusal =
  | 'denied'
  | 'not_allowed'
  | ProxyFailure
  | GateRefusal
  | TlsFailure
  | `websocket_${Extract<Upgraded, { kind: 'failed' }>['reason']}`;

/** Who it is, as far as is known. */
export type Arriving = Pick<Inbound, 'id' | 'frontend' | 'bind' | 'bindScope' | 'source' | 'acceptedAtMs'>;

export type Arrived =
  | { readonly kind: 'in'; readonly inbound: Inbound }
  /** Closed already. */
  | { readonly kind: 'refused'; readonly who: Arriving; readonly reason: ArrivalRefusal; readonly detail: string }
  /** It came and went without a word, or was stopped. */
  | { readonly kind: 'gone' };

/** What is between TCP and MQTT, and what it told. */
interface Stream {
  readonly client: Endpoint;
  readonly tls: TlsFacts | null;
  readonly websocket: WebSocketFacts | null;
}

type Refused = Extract<Arrived, { kind: 'refused' | 'gone' }>;

const GONE: Refused = { kind: 'gone' };
const BY_LISTS = 'by the lists of the frontend';

/** A connection on its way in: PROXY header, lists, limits, TLS, WebSocket; then it is an Inbound. Never rejects. */
export class Arrival {
  readonly #accepted: Accepted;
  readonly #id: number;
  readonly #entry: Entry;
  readonly #shop: ArrivalShop;
  readonly #acceptedAtMs: number = performance.now();
  /** What run() waits for. */
  #waiting: { cancel(): void } | null = null;
  #isStopped = false;

  constructor(accepted: Accepted, id: number, entry: Entry, shop: ArrivalShop) {
    this.#accepted = accepted;
    this.#id = id;
    this.#entry = entry;
    this.#shop = shop;
  }

  /** Ends it: the result is `gone`. `reset`: with RST, whatever it waits for. */
  stop(reset = false): void {
    this.#isStopped = true;
    if (this.#waiting !== null) {
      this.#waiting.cancel();
      return;
    }
    if (reset) this.#accepted.reset();
    else this.#accepted.close();
    if (this.#entry.enter !== null) this.#entry.leave(this.#id);
  }

  /** A client that comes in without waiting for anything; null: run() is to see to it. Most do, and each wait would cost. */
  atOnce(): Inbound | null {
    const { source, destination } = this.#accepted;
    const { tls, enter, trusted, bind, access } = this.#entry;
    if (source === null || tls !== null || enter !== null || bind.websocket !== null || !trusted.isEmpty) return null;
    if (access(source.address) !== 'allowed') return null;
    const stream = { client: this.#accepted.open(0), tls: null, websocket: null };
    return this.#inbound(stream, { source, destination }, this.#acceptedAtMs);
  }

  /** `answered` is called once: when the primary has said whether it may come in, or when nobody needs to ask. */
  async run(answered: () => void): Promise<Arrived> {
    const proxied = await this.#readProxyHeader();
    if (proxied.kind !== 'accepted') {
      answered();
      return proxied;
    }
    const { link, headerBytes } = proxied;
    // Made at once: a plain client that leaves while it waits must be heard.
    const plain = this.#entry.tls === null ? this.#accepted.open(headerBytes) : null;
    const refused = await this.#admit(link.source, answered);
    if (refused !== null) return refused;
    const told = proxied.header === null ? null : tlsFactsOf(proxied.header.facts);
    const stream = await this.#open(plain, link.source, told);
    if ('kind' in stream) return stream;
    if (this.#isStopped) {
      stream.client.reset();
      return GONE;
    }
    return { kind: 'in', inbound: this.#inbound(stream, link, performance.now()) };
  }

  #inbound({ client, tls, websocket }: Stream, { source, destination }: ProxyLink, openedAtMs: number): Inbound {
    const { frontend, bind, bindScope, forwarders } = this.#entry;
    return {
      id: this.#id,
      frontend,
      bind: bind.label,
      bindScope,
      client,
      source,
      destination,
      acceptedAtMs: this.#acceptedAtMs,
      openedAtMs,
      tls,
      websocket,
      // Whoever speaks HTTP to us, also where a balancer in front tells of it by a PROXY header.
      trustsForwarded: forwarders.has(source.address),
    };
  }

  async #readProxyHeader(): Promise<Extract<Awaited<ReturnType<typeof acceptProxy>>, { kind: 'accepted' }> | Refused> {
    const { source, destination } = this.#accepted;
    const { trusted, frontend } = this.#entry;
    // A client that has gone before we looked has no address any more.
    if (source === null) {
      this.#accepted.close();
      return GONE;
    }
    const own = { source, destination };
    if (trusted.isEmpty) return { kind: 'accepted', link: own, header: null, headerBytes: 0 };
    const options = { trusted, timeoutMs: frontend.handshakeMs, wheel: this.#shop.wheel };
    const accepted = await acceptProxy(this.#accepted.header(), own, options);
    if (accepted.kind === 'accepted') return accepted;
    this.#accepted.close();
    return this.#isStopped ? GONE : this.#refuse(own.source, accepted.reason, accepted.detail);
  }

  /** The lists and limits. Those who are refused here hear nothing but a reset: they may be many. */
  async #admit(source: Address, answered: () => void): Promise<Refused | null> {
    const { access, enter } = this.#entry;
    const listed = access(source.address);
    const answer: GateAnswer | null =
      enter === null || listed !== 'allowed' ? null : await enter(this.#id, source.address);
    answered();
    if (this.#isStopped || answer?.kind === 'gone') return this.#reset(GONE);
    if (listed !== 'allowed') return this.#reset(this.#refuse(source, listed, BY_LISTS));
    if (answer?.kind === 'refused') return this.#reset(this.#refuse(source, answer.reason, 'by a limit'));
    return null;
  }

  async #open(plain: Endpoint | null, source: Address, told: TlsFacts | null): Promise<Stream | Refused> {
    const { tls: contexts, bind } = this.#entry;
    let client: Endpoint;
    let tls = told;
    if (contexts === null || plain !== null) client = plain ?? this.#accepted.open(0);
    else {
      const secured = await this.#secure(contexts, source);
      if ('kind' in secured) return secured;
      ({ client, tls } = secured);
    }
    if (bind.websocket === null) return { client, tls, websocket: null };
    return await this.#upgrade(client, tls, source);
  }

  async #secure(contexts: TlsContexts, source: Address): Promise<{ client: Endpoint; tls: TlsFacts } | Refused> {
    const { handshakeMs } = this.#entry.frontend;
    const { wheel, handshakes: gate, pool } = this.#shop;
    const { socket } = this.#accepted;
    if (socket === null) throw noSocket(this.#entry.bind.label);
    const accepting = acceptTls(socket, contexts, {
      acceptedAtMs: this.#acceptedAtMs,
      handshakeMs,
      wheel,
      gate,
      pool,
    });
    this.#waiting = accepting;
    const accepted = await accepting.result;
    this.#waiting = null;
    if (accepted.kind === 'open') return { client: tlsEndpoint(accepted.socket, socket), tls: accepted.facts };
    if (accepted.reason === 'silent' || accepted.reason === 'cancelled') return GONE;
    return this.#refuse(source, accepted.reason, accepted.detail);
  }

  async #upgrade(inner: Endpoint, tls: TlsFacts | null, source: Address): Promise<Stream | Refused> {
    const { bind, frontend, recordBytes } = this.#entry;
    if (bind.websocket === null) return { client: inner, tls, websocket: null };
    const deadlineMs = Math.max(0, this.#acceptedAtMs + frontend.handshakeMs - performance.now());
    const upgrading = acceptWebSocket(inner, bind.websocket, { deadlineMs, recordBytes, wheel: this.#shop.wheel });
    this.#waiting = upgrading;
    const upgraded = await upgrading.result;
    this.#waiting = null;
    if (upgraded.kind === 'open') return { client: upgraded.endpoint, tls, websocket: upgraded.facts };
    if (upgraded.reason === 'cancelled' || (upgraded.reason === 'left' && inner.bytesIn === 0)) return GONE;
    return this.#refuse(source, `websocket_${upgraded.reason}`, upgraded.detail);
  }

  #who(source: Address): Arriving {
    const { frontend, bind, bindScope } = this.#entry;
    return { id: this.#id, frontend, bind: bind.label, bindScope, source, acceptedAtMs: this.#acceptedAtMs };
  }

  #refuse(source: Address, reason: ArrivalRefusal, detail: string): Refused {
    return { kind: 'refused', who: this.#who(source), reason, detail };
  }

  #reset(refused: Refused): Refused {
    this.#accepted.reset();
    return refused;
  }
}

function noSocket(bind: string): LimpetError {
  const remedy = 'this is a bug of Limpet: clients of such a bind are accepted by Node';
  return new LimpetError('NO_TLS_SOCKET', `a client of ${bind} came in without a socket for TLS`, remedy);
}
