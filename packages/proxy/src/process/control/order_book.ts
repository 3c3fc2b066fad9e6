import { type AdminRecord, type AdminStore, NO_RECORD } from '@limpet/state';
import type { By, ServerRef } from '../../admin/control.ts';
import type { Log } from '../../log.ts';

/** Where orders are written down: in the log with who gave them, and in the store what is to hold of servers. */
export class OrderBook {
  readonly #admin: AdminStore;
  readonly #log: Log;

  constructor(admin: AdminStore, log: Log) {
    this.#admin = admin;
    this.#log = log;
  }

  note(by: By, what: string): void {
    this.#log.info('admin', { by, what }, `${what} (${by})`);
  }

  /** Writes what changes, and keeps the rest of what an operator has said. */
  async record(ref: ServerRef, change: Partial<AdminRecord>): Promise<void> {
    await this.#admin.set(ref.backend, ref.server, { ...this.recordOf(ref), ...change });
  }

  recordOf({ backend, server }: ServerRef): AdminRecord {
    return this.#admin.records(backend).get(server) ?? NO_RECORD;
  }
}
