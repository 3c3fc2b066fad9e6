import type { FrontDesk } from './front_desk.ts';
import type { Operations } from './operations.ts';
import type { Pair } from './pair/pair.ts';
import type { Peers } from './peers/peers.ts';
import type { Servers } from './servers.ts';
import type { WorkerLink } from './supervisor.ts';
import type { Upgrades } from './upgrade/upgrade.ts';
import type { ToPrimary } from './wire.ts';

/** The parts of the primary that workers speak to. */
export interface WorkerHearers {
  readonly desk: FrontDesk;
  readonly servers: Servers;
  readonly peers: Peers;
  readonly pair: Pair;
  readonly operations: Operations;
  readonly upgrades: Upgrades;
}

/** Brings what a worker says to the part that it is for. */
export function workerSaid(to: WorkerHearers, worker: WorkerLink, message: ToPrimary): void {
  if (message[0] === 'seen') {
    const [, backend, server, sight] = message;
    to.peers.seen(backend, server, sight);
    to.servers.seen(backend, server, sight);
  } else if (message[0] === 'stood_by') to.pair.stoodBy(worker);
  else if (to.upgrades.said(worker, message) || to.operations.said(worker.id, message)) return;
  else to.desk.said(worker, message);
}

/** Nobody waits for this worker any more. Answers how many sessions it had. */
export function workerGone(to: WorkerHearers, worker: WorkerLink): number {
  const sessions = to.desk.workerGone(worker);
  to.operations.workerGone(worker.id);
  to.upgrades.workerGone(worker);
  to.pair.workerGone(worker);
  return sessions;
}
