import type { TaskFacts } from '../../admin/snapshot.ts';
import type { BackendConfig } from '../../config/resolved.ts';
import type { ServerStatus } from '../../route/scheduler.ts';
import type { ToWorker } from '../wire.ts';

/** Where the sessions are. */
export interface Premises {
  /** The workers that run, those that drain too. */
  workers(): readonly { readonly id: number; say(message: ToWorker): void }[];
  /** `Ledger.connsOf`. */
  connsOf(worker: number, backend: string, server: string): number;
}

/** The proxy, as paced tasks need it. All is asked anew each time, so that a reload changes nothing under them. */
export interface DrainPremises extends Premises {
  /** Null: there is none of that name (any more). `statuses`: `Scheduler.statuses()`. */
  backend(name: string): { readonly config: BackendConfig; readonly statuses: readonly ServerStatus[] } | null;
  /** `Ledger.conns`. */
  conns(backend: string, server: string): number;
  /** `Scheduler.setEvening`. */
  setEvening(backend: string, on: boolean): void;
  /** Done, or cancelled: for the log. */
  ended(task: TaskFacts): void;
}
