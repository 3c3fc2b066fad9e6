import type { Config } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { createTlsContexts, type TlsContexts } from '../tls/contexts.ts';
import type { KeptCertificates } from '../tls/kept.ts';
import { TicketKeys } from '../tls/tickets.ts';

/**
 * The certificates of all binds, in the primary. It accepts nobody with them: it reads them before any worker starts, so
 * that a wrong one is told once and stops the program, and it watches them, so that the log tells a change or an expiry
 * once and not once a worker.
 */
export class Certificates {
  /** `frontend/place` → its contexts. */
  readonly #contexts = new Map<string, TlsContexts>();

  /** @throws LimpetError TLS_* */
  async start(config: Config, log: Log): Promise<void> {
    const tickets = new TicketKeys();
    for (const { name, binds } of config.frontends) {
      for (const [place, { tls }] of binds.entries()) {
        if (tls !== null) this.#contexts.set(`${name}/${place}`, await createTlsContexts(tls, tickets, log));
      }
    }
  }

  /** `frontend/place` → what is served there, for a worker that cannot read it from disk. */
  kept(): (readonly [string, KeptCertificates])[] {
    return [...this.#contexts].flatMap(([bind, contexts]) => {
      const kept = contexts.kept();
      return kept === null ? [] : [[bind, kept] as const];
    });
  }

  close(): void {
    for (const contexts of this.#contexts.values()) contexts.close();
  }
}
