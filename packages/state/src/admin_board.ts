import type { AdminRecord } from './admin.ts';
import { encodeAdmin, sameRecords } from './admin_value.ts';

const nobody: ReadonlyMap<string, AdminRecord> = new Map();

/** What is known of all backends now, and who wants to hear of changes. Both adapters keep one. */
export class AdminBoard {
  readonly #backends = new Map<string, ReadonlyMap<string, AdminRecord>>();
  readonly #listeners: ((backend: string) => void)[] = [];

  records(backend: string): ReadonlyMap<string, AdminRecord> {
    return this.#backends.get(backend) ?? nobody;
  }

  onChange(listener: (backend: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Of one server; a record that says nothing is not kept. */
  put(backend: string, server: string, record: AdminRecord): void {
    const records = new Map(this.records(backend));
    if (encodeAdmin(record) === null) records.delete(server);
    else records.set(server, record);
    this.replace(backend, records);
  }

  /** Of all servers of a backend. Tells the listeners, if it says anything new. */
  replace(backend: string, records: ReadonlyMap<string, AdminRecord>): void {
    if (sameRecords(this.records(backend), records)) return;
    this.#backends.set(backend, records);
    for (const listener of this.#listeners) listener(backend);
  }
}
