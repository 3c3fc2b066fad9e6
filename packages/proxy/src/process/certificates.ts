import type { Config } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { createTlsContexts, type TlsContexts } from '../tls/contexts.ts';
import { TicketKeys } from '../tls/tickets.ts';

/**
 * The certificates of all binds, in the primary. It accepts nobody with them: it reads them before any worker starts, so
 * that a wrong one is told once and stops the program, and it watches them, so that the log tells a change or an expiry
 * once and not once a worker.
 */
export class Certificates {
  readonly #contexts: TlsContexts[] = [];

  /** @throws LimpetError TLS_* */
  async start(config: Config, log: Log): Promise<void> {
    const tickets = new TicketKeys();
    for (const { tls } of config.frontends.flatMap(({ binds }) => binds)) {
      if (tls !== null) this.#contexts.push(await createTlsContexts(tls, tickets, log));
    }
  }

  close(): void {
    for (const contexts of this.#contexts) contexts.close();
  }
}
