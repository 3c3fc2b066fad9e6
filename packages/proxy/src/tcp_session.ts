import type { Refused } from './account/session_log.ts';
import { TcpCargo } from './cargo.ts';
import { FirstBytes } from './first_bytes.ts';
import { Passage } from './passage.ts';
import { readServerName } from './sni/read_server_name.ts';
import { sniBackend } from './sni/sni_backend.ts';
import type { Inbound, StopReason } from './stages.ts';
import { refusalOf, sayFarewell } from './turned_away.ts';
import { Waiting } from './waiting.ts';
import type { Visit, Workshop } from './workshop.ts';

/** A connection of a frontend in `mode: tcp`: bytes, whatever they are. Owns the client's endpoint as Session does. */
export class TcpSession {
  readonly #visit: Visit;
  readonly #inbound: Inbound;
  readonly #shop: Workshop;
  readonly #first: FirstBytes;

  constructor(visit: Visit, inbound: Inbound, shop: Workshop) {
    this.#visit = visit;
    this.#inbound = inbound;
    this.#shop = shop;
    this.#first = new FirstBytes(shop.pool);
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const backend = await this.#choose();
    if (backend !== null && (await this.#pass(backend))) return;
    this.#first.forget();
    this.#visit.over();
  }

  /** The backend, by the ClientHello's server name where there are `sni_routes`; what was read of it is passed on. */
  async #choose(): Promise<string | null> {
    const { frontend, client } = this.#inbound;
    if (frontend.sniRoutes.length === 0) return frontend.defaultBackend;
    const reading = readServerName(this.#inbound, this.#shop.pool, this.#shop.wheel);
    const stop = (reason: StopReason): void => {
      reading.cancel();
      if (reason === 'standby') client.reset();
    };
    const waitsFor = { stage: 'preread' as const, connect: null, backend: null, stop };
    this.#visit.serving = new Waiting(this.#shop, this.#inbound, waitsFor);
    const read = await reading.result;
    if (read.kind === 'hello') {
      const backend = sniBackend(frontend.sniRoutes, read.sni) ?? frontend.defaultBackend;
      if (this.#first.keep(read.bytes, () => this.#visit.stop('killed'))) return backend;
      this.#refuse({ ...refusalOf({ kind: 'lost' }, 4), answer: null }, backend);
      return null;
    }
    if (read.kind === 'bad')
      this.#refuse({ reason: read.reason, detail: read.detail, answer: null, server: null, retries: 0 });
    else client.close();
    return null;
  }

  /** Whether it has a server. */
  async #pass(backend: string): Promise<boolean> {
    const route = this.#shop.routeOf(backend);
    const cargo = new TcpCargo(this.#inbound, this.#first, route);
    const passed = await new Passage(this.#visit, this.#inbound, route, this.#shop, cargo).run();
    if (passed === 'seated') return true;
    // There is no word for it that every protocol knows.
    if (passed !== 'stopped') this.#refuse({ ...refusalOf(passed, 4), answer: null }, backend);
    return false;
  }

  #refuse(refused: Refused, backend: string = this.#inbound.frontend.defaultBackend): void {
    this.#shop.log.refused(this.#inbound, null, backend, refused);
    sayFarewell(this.#inbound, refused, backend, this.#shop);
  }
}
