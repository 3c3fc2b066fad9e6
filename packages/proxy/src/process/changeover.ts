import type { Config } from '../config/resolved.ts';
import type { Bindings } from './bindings.ts';
import type { Prepared } from './configurator.ts';
import type { FrontDesk } from './front_desk.ts';
import type { Notices } from './notices.ts';
import type { PrimaryStore } from './primary_store.ts';
import type { Servers } from './servers.ts';
import type { Staff } from './staff.ts';
import type { TicketOffice } from './ticket_office.ts';

/** Who goes over. */
export interface ChangeoverParts {
  readonly bindings: Bindings;
  readonly store: PrimaryStore;
  readonly servers: Servers;
  readonly desk: FrontDesk;
  readonly staff: Staff;
  readonly tickets: TicketOffice;
  readonly notices: Notices;
  /** Tells all what the servers of a backend are like. */
  serversChanged(backend: string): void;
}

/**
 * Everybody goes over to a configuration that has been prepared: first the primary, in one turn, then the workers.
 * Answers whose TLS files were others, as `bindKey` and `backend/server`.
 * @throws LimpetError RELOAD_LATE
 */
export async function changeOver(
  parts: ChangeoverParts,
  next: Config,
  { certificates, servers, bindings }: Prepared,
): Promise<readonly string[]> {
  const known = new Set(parts.bindings.listening.map(({ address, port }) => `${address} ${port}`));
  const renewed = [...certificates.commit(), ...servers.commit()];
  const { closeGone } = bindings.commit();
  parts.store.reconfigure(next);
  parts.servers.reconfigure(next);
  parts.desk.reconfigure(next);
  parts.staff.resize(next.global.workers);
  for (const { name } of next.backends) parts.serversChanged(name);
  try {
    await parts.tickets.reconfigure(next);
    await parts.staff.changeOver(new Set([...certificates.made, ...servers.made, ...renewed]));
  } finally {
    closeGone();
  }
  const newBinds = parts.bindings.listening.filter(({ address, port }) => !known.has(`${address} ${port}`));
  parts.notices.changed(next, newBinds);
  return renewed;
}
