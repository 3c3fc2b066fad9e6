import type { Config } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { FrontDesk } from '../front_desk.ts';
import { Drains } from './drains.ts';
import type { DrainPremises } from './premises.ts';

/** Drains and rebalances of the sessions that the desk counts. `config`: the one that is in use. */
export function deskDrains(
  desk: FrontDesk,
  config: () => Config,
  workers: DrainPremises['workers'],
  log: Pick<Log, 'info'>,
): Drains {
  return new Drains({
    workers,
    connsOf: (worker, backend, server) => desk.ledger.connsOf(worker, backend, server),
    conns: (backend, server) => desk.ledger.conns(backend, server),
    backend: name => {
      const configured = config().backends.find(backend => backend.name === name);
      const scheduler = desk.backends.get(name)?.scheduler;
      if (configured === undefined || scheduler === undefined) return null;
      return { config: configured, statuses: scheduler.statuses() };
    },
    setEvening: (backend, on) => desk.backends.get(backend)?.scheduler.setEvening(on),
    ended: ({ id, kind, backend, server, state, moved, left }) => {
      const what = `${kind} of ${server === null ? backend : `${backend}/${server}`}`;
      const fields = { task: id, kind, backend, server, state, moved, left };
      log.info('task_ended', fields, `${what} ${state}: ${moved} sessions were asked to leave, ${left} are left`);
    },
  });
}
