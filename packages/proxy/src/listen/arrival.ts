import { acceptProxy, type ProxyFailure } from '../gate/accept_proxy.ts';
import type { GateAnswer, GateRefusal } from '../gate/gate_answer.ts';
import { type ProxyLink, tlsFactsOf } from '../gate/proxy_header.ts';
import type { Address, Inbound } from '../stages.ts';
import type { Accepted } from './accepted.ts';
import type { Entry } from './entry.ts';
import { type ArrivalShop, type LayerFailure, Layers, type Stream } from './layers.ts';

export type ArrivalRefusal = 'denied' | 'not_allowed' | ProxyFailure | GateRefusal | LayerFailure;

/** Who it is, as far as is known. */
export type Arriving = Pick<Inbound, 'id' | 'frontend' | 'bind' | 'bindScope' | 'source' | 'acceptedAtMs'>;

export type Arrived =
  | { readonly kind: 'in'; readonly inbound: Inbound }
  /** Closed already. */
  | { readonly kind: 'refused'; readonly who: Arriving; readonly reason: ArrivalRefusal; readonly detail: string }
  /** It came and went without a word, or was stopped. */
  | { readonly kind: 'gone' };

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
  /** Null: it has not come so far. */
  #layers: Layers | null = null;
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
    if (this.#layers?.cancel() === true) return;
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
    this.#layers = new Layers(this.#accepted, this.#entry, this.#shop, this.#acceptedAtMs);
    const layered = await this.#layers.open(plain, told);
    if (layered.kind === 'gone') return GONE;
    if (layered.kind === 'failed') return this.#refuse(link.source, layered.reason, layered.detail);
    if (this.#isStopped) {
      layered.stream.client.reset();
      return GONE;
    }
    return { kind: 'in', inbound: this.#inbound(layered.stream, link, performance.now()) };
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
