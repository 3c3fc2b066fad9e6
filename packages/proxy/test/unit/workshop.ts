/** What a worker lends to its sessions, where the test answers for the primary. */
import { type Place, Registry } from '../../src/account/registry.ts';
import type { ConnectError, SessionFacts } from '../../src/account/session_facts.ts';
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
import type { StopReason } from '../../src/stages.ts';
import type { Eviction, LiveSession, ServerFall, Serving, SessionRoute, Visit, Workshop } from '../../src/workshop.ts';
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
    engine: null,
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

/** A connection without a reception. */
export class TestVisit implements Visit {
  readonly id: number;
  readonly frontend = 'mqtt';
  readonly localAddress = '192.0.2.1';
  place: Place<LiveSession> | null = null;
  serving: Serving = { facts: () => ({}) as SessionFacts, stop() {}, serverFell() {}, evict: () => false };
  /** Resolves when all of it is closed. */
  readonly ended: Promise<void>;
  readonly #shop: Workshop;
  #end: () => void = () => {};

  /** `id`: that of its `Inbound`. */
  constructor(shop: Workshop, id = 7) {
    this.id = id;
    this.#shop = shop;
    this.ended = new Promise(resolve => (this.#end = resolve));
    shop.registry.add(this);
  }

  facts(): SessionFacts {
    return this.serving.facts();
  }

  stop(reason: StopReason): void {
    this.serving.stop(reason);
  }

  serverFell(why: ServerFall): void {
    this.serving.serverFell(why);
  }

  evict(eviction: Eviction): boolean {
    return this.serving.evict(eviction);
  }

  over(): void {
    this.#shop.registry.remove(this);
    this.#end();
  }
}
