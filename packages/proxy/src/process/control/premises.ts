import type { AdminStore } from '@limpet/state';
import type { ConnectError } from '../../account/session_facts.ts';
import type { ReloadReport, TableAdmin } from '../../admin/control.ts';
import type { EventRing } from '../../admin/event_ring.ts';
import type { HistoryFacts } from '../../admin/history.ts';
import type { Snapshot } from '../../admin/snapshot.ts';
import type { Config } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { Drains } from '../drains/drains.ts';
import type { Questions } from '../questions.ts';

/** What the control room has to do with. */
export interface Premises {
  /** As it is in use. */
  config(): Config;
  /** Goes over to an edited one; everybody uses it when this resolves. */
  edit(change: (config: Config) => Config): Promise<void>;
  reload(): Promise<ReloadReport>;
  /** Frontends that an operator has disabled stay so across reloads. */
  setFrontendEnabled(frontend: string, enabled: boolean): Promise<void>;
  snapshot(): Snapshot;
  history(): HistoryFacts;
  errors(): readonly ConnectError[];
  /** Sessions counted to a server. */
  conns(backend: string, server: string): number;
  readonly admin: AdminStore;
  readonly drains: Drains;
  readonly questions: Questions;
  readonly events: EventRing;
  readonly table: TableAdmin;
  readonly health: {
    force(backend: string, server: string, verdict: 'up' | 'down'): void;
    setEnabled(backend: string, server: string, enabled: boolean): void;
  };
  readonly log: Log;
}
