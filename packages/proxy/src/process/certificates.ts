import { bindsOf } from '../config/bind_key.ts';
import type { Config, TlsBindConfig } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { createTlsContexts, type TlsContexts } from '../tls/contexts.ts';
import type { KeptCertificates } from '../tls/kept.ts';
import { type StockChange, TlsStock } from '../tls/stock.ts';
import { TicketKeys } from '../tls/tickets.ts';

/**
 * The certificates of all binds, in the primary. It accepts nobody with them: it reads them before any worker does, so
 * that a wrong one is told once and stops the start or the reload, and it watches them, so that the log tells a change or
 * an expiry once and not once a worker.
 */
export class Certificates {
  readonly #stock: TlsStock<TlsBindConfig, TlsContexts, KeptCertificates>;

  constructor(log: Log) {
    const tickets = new TicketKeys();
    this.#stock = new TlsStock({ make: (tls, kept) => createTlsContexts(tls, tickets, log, kept) });
  }

  /**
   * Reads what a configuration needs and this one does not have; `renew`: and all the rest again.
   * @throws LimpetError TLS_*: nothing has changed
   */
  prepare(config: Config, renew: boolean): Promise<StockChange> {
    return this.#stock.prepare(tlsOfBinds(config), { renew });
  }

  /** bindKey → what is served there, for a worker that cannot read it from disk; of these binds, or of all. */
  kept(binds: ReadonlySet<string> | null = null): (readonly [string, KeptCertificates])[] {
    return this.#stock.kept(binds);
  }

  close(): void {
    this.#stock.close();
  }
}

/** bindKey → its TLS, where it has any. */
export function tlsOfBinds(config: Config): Map<string, TlsBindConfig> {
  return new Map(bindsOf(config).flatMap(({ key, bind: { tls } }) => (tls === null ? [] : [[key, tls] as const])));
}
