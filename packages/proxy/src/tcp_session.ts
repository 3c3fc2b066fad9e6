import { early, sessionFacts } from './account/live_facts.ts';
import type { SessionFacts } from './account/session_facts.ts';
import type { Refused } from './account/session_log.ts';
import { tcpScript } from './dial/script.ts';
import { FirstBytes } from './first_bytes.ts';
import { IDLE, Passage, type Stage } from './passage.ts';
import { verifiedCn } from './route/stick_key.ts';
import { readServerName } from './sni/read_server_name.ts';
import { sniBackend } from './sni/sni_backend.ts';
import type { Inbound, StopReason } from './stages.ts';
import { refusalOf, sayFarewell } from './turned_away.ts';
import type { Eviction, LiveSession, ServerFall, Workshop } from './workshop.ts';

/** A connection of a frontend in `mode: tcp`: bytes, whatever they are. Owns the client's endpoint as Session does. */
export class TcpSession implements LiveSession {
  readonly frontend: string;
  readonly #inbound: Inbound;
  readonly #shop: Workshop;
  readonly #first: FirstBytes;
  #stage: Stage = IDLE;
  #passage: Passage | null = null;

  constructor(inbound: Inbound, shop: Workshop) {
    this.frontend = inbound.frontend.name;
    this.#inbound = inbound;
    this.#shop = shop;
    this.#first = new FirstBytes(shop.pool);
  }

  facts(): SessionFacts {
    const progress = this.#passage?.progress() ?? early(this.#inbound, 'preread', null);
    return sessionFacts(this.#shop, this.#inbound, null, progress);
  }

  stop(reason: StopReason): void {
    this.#stage.stop(reason);
  }

  serverFell(why: ServerFall): void {
    this.#stage.serverFell(why);
  }

  evict(eviction: Eviction): boolean {
    return this.#stage.evict(eviction);
  }

  /** Never rejects. */
  async run(): Promise<void> {
    this.#shop.registry.add(this);
    const backend = await this.#choose();
    if (backend !== null) await this.#pass(backend);
    this.#stage = IDLE;
    this.#first.forget();
    this.#shop.registry.remove(this);
  }

  /** The backend, by the ClientHello's server name where there are `sni_routes`; what was read of it is passed on. */
  async #choose(): Promise<string | null> {
    const { frontend, client } = this.#inbound;
    if (frontend.sniRoutes.length === 0) return frontend.defaultBackend;
    const reading = readServerName(this.#inbound, this.#shop.pool, this.#shop.wheel);
    this.#stage = {
      ...IDLE,
      stop: reason => {
        reading.cancel();
        if (reason === 'standby') this.#inbound.client.reset();
      },
    };
    const read = await reading.result;
    if (read.kind === 'hello') {
      const backend = sniBackend(frontend.sniRoutes, read.sni) ?? frontend.defaultBackend;
      if (this.#first.keep(read.bytes, () => this.#stage.stop('killed'))) return backend;
      this.#refuse({ ...refusalOf({ kind: 'lost' }, 4), answer: null }, backend);
      return null;
    }
    if (read.kind === 'bad')
      this.#refuse({ reason: read.reason, detail: read.detail, answer: null, server: null, retries: 0 });
    else client.close();
    return null;
  }

  async #pass(backend: string): Promise<void> {
    const { frontend, source, tls } = this.#inbound;
    const route = this.#shop.routeOf(backend);
    const { serverMs } = route.view.config;
    const passage = new Passage(this, this.#inbound, route, this.#shop);
    this.#passage = passage;
    this.#stage = passage;
    const unlinked = await passage.run({
      connect: null,
      stickValue: () => route.stickValue(null, { sourceAddress: source.address, certCn: verifiedCn(tls) }),
      script: () => tcpScript(this.#first.bytes),
      first: this.#first,
      limits: () => ({ clientIdleMs: frontend.clientMs, serverIdleMs: serverMs }),
    });
    // There is no word for it that every protocol knows.
    if (unlinked !== null) this.#refuse({ ...refusalOf(unlinked, 4), answer: null }, backend);
  }

  #refuse(refused: Refused, backend: string = this.#inbound.frontend.defaultBackend): void {
    this.#shop.log.refused(this.#inbound, null, backend, refused);
    sayFarewell(this.#inbound, refused, backend, this.#shop);
  }
}
