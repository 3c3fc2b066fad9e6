/** What a worker lends to its sessions, where the test answers for the primary. */
import { Registry } from '../../src/account/registry.ts';
import type { ConnectError } from '../../src/account/session_facts.ts';
import { SessionLog } from '../../src/account/session_log.ts';
import { Tally } from '../../src/account/tally.ts';
import { TimerWheel } from '../../src/clock.ts';
import { DepartureBoard } from '../../src/dial/departures.ts';
import type { GateAnswer } from '../../src/gate/gate_answer.ts';
import type { LogFields } from '../../src/log.ts';
import { PrereadPool } from '../../src/preread_pool.ts';
import { NodeRelays } from '../../src/relay/node_relays.ts';
import { Pins } from '../../src/route/pins.ts';
import type { Placed } from '../../src/route/placer.ts';
import { BackendView } from '../../src/route/view.ts';
import type { LiveSession, SessionRoute, Workshop } from '../../src/workshop.ts';
import { backend, server } from './route/backend.ts';

export interface Bench {
  readonly shop: Workshop;
  /** Event and reason of each line of the log. */
  readonly lines: readonly [string, LogFields['reason']][];
  readonly errors: readonly ConnectError[];
  /** Answers who waits for a server. */
  place(placed: Placed): void;
}

/** Everybody waits for a turn until leaving (`isPaced: false`: nobody does), then for a server. */
export function bench(poolBytes: number, isPaced: boolean): Bench {
  const errors: ConnectError[] = [];
  const lines: [string, LogFields['reason']][] = [];
  const say = (event: string, fields: LogFields = {}): unknown => lines.push([event, fields.reason]);
  const counts = () => ({ total: 1, frontend: 1, backend: 1, server: 1 });
  const log = {
    debug: say,
    info: say,
    warn: say,
    error: say,
    line() {},
    format: 'json' as const,
    reopen() {},
    async flush() {},
  };
  let answer: (answer: GateAnswer) => void = () => {};
  let place: (placed: Placed) => void = () => {};
  const route: SessionRoute = {
    view: new BackendView(backend([server('a')])),
    desk: { place: () => new Promise(resolve => (place = resolve)), use() {}, free() {} },
    ...{ table: null, shared: false, pins: new Pins(), owner: 'lb1/1' },
    ...{ stickValue: () => null, seen() {}, tls: () => null },
  };
  const pool = new PrereadPool(poolBytes);
  const wheel = new TimerWheel();
  const shop: Workshop = {
    ...{ name: 'lb1/1', wheel, relays: new NodeRelays(wheel), pool, log: new SessionLog(log, false, counts) },
    departures: new DepartureBoard([], 0, 1),
    registry: new Registry<LiveSession>(),
    tally: new Tally(),
    usernames: false,
    badConnect: error => errors.push(error),
    decide: () => ({ kind: 'default' }),
    routeOf: () => route,
    starved() {},
    pace: () => (isPaced ? new Promise(resolve => (answer = resolve)) : null),
    leavePace: () => answer({ kind: 'gone' }),
  };
  return { shop, lines, errors, place: placed => place(placed) };
}
