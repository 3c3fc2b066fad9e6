import type { Config, FrontendConfig, PaceConfig } from '../config/resolved.ts';
import type { Connecting, Entering, GateAnswer, GateRefusal, Visitor } from './gate_answer.ts';
import { type PaceClock, Pacer, type PaceVerdict, type PaceWait, PROCESS_CLOCK } from './pacer.ts';
import { type Held, SourceCounts } from './source_counts.ts';
import { waitingPlaces } from './waiting_room.ts';

type Tell = (answer: GateAnswer) => void;

/**
 * Source addresses without a connection that are remembered, of all frontends together: some 35 MB. Such a source matters
 * only until its buckets are full again, mostly a second; and the primary stands still while its memory is tidied: for
 * some 13 ms with so many, for up to 250 ms with a million (measured).
 */
const MOST_SOURCES = 250_000;

interface Frontend {
  readonly sources: SourceCounts | null;
  /** `conn_rate`. */
  readonly arrivals: Pacer | null;
  /** `connect_rate`. */
  readonly connects: Pacer | null;
}

/** What a session has of the gatekeeper. */
interface Visit {
  held: { readonly sources: SourceCounts; readonly connection: Held } | null;
  waits: { readonly pacer: Pacer; readonly place: PaceWait; readonly tell: Tell } | null;
}

const IN: GateAnswer = { kind: 'in' };
const GONE: GateAnswer = { kind: 'gone' };

/**
 * Lives in the primary and decides, for all workers, who comes in and when: limits of source addresses, the arrivals of
 * a frontend (`conn_rate`), the pace of CONNECTs of frontends and backends. Every question is answered once, now or
 * later, unless its worker is gone.
 */
export class Gatekeeper {
  readonly #clock: PaceClock;
  readonly #mostSources: number;
  readonly #frontends = new Map<string, Frontend>();
  readonly #backends = new Map<string, Pacer>();
  /** Of all CONNECTs, for a while after this proxy has become active. */
  #takeover: Pacer | null = null;
  /** worker → session → what it has. */
  readonly #visits = new Map<number, Map<number, Visit>>();

  constructor(config: Config, clock: PaceClock = PROCESS_CLOCK, mostSources: number = MOST_SOURCES) {
    this.#clock = clock;
    this.#mostSources = mostSources;
    this.reconfigure(config);
  }

  /**
   * Goes over to another configuration. Those who wait keep waiting, in their order; where nothing limits them any more
   * they go. What a source holds stays held; connections from before there was any limit of sources do not count.
   */
  reconfigure(config: Config): void {
    const limited = config.frontends.filter(hasSourceLimits).length;
    const share = Math.max(1, Math.floor(this.#mostSources / Math.max(1, limited)));
    const frontends = new Set(config.frontends.map(({ name }) => name));
    for (const [name, { arrivals, connects }] of this.#frontends) {
      if (frontends.has(name)) continue;
      this.#frontends.delete(name);
      arrivals?.open();
      connects?.open();
    }
    for (const frontend of config.frontends) {
      const before = this.#frontends.get(frontend.name);
      this.#frontends.set(frontend.name, {
        sources: sourcesOf(before?.sources ?? null, frontend, share),
        arrivals: this.#pacer(before?.arrivals ?? null, arrivalPace(frontend, config.global.workers)),
        connects: this.#pacer(before?.connects ?? null, frontend.connectRate),
      });
    }
    this.#reconfigureBackends(config);
  }

  #reconfigureBackends({ backends }: Config): void {
    const paces = new Map(backends.map(({ name, connectRate }) => [name, connectRate]));
    for (const name of new Set([...this.#backends.keys(), ...paces.keys()])) {
      const pacer = this.#pacer(this.#backends.get(name) ?? null, paces.get(name) ?? null);
      if (pacer === null) this.#backends.delete(name);
      else this.#backends.set(name, pacer);
    }
  }

  #pacer(before: Pacer | null, pace: PaceConfig | null): Pacer | null {
    if (pace === null) before?.open();
    else if (before !== null) before.reconfigure(pace);
    return pace === null ? null : (before ?? new Pacer(pace, this.#clock));
  }

  /** From now on all CONNECTs together go at this pace first; null: they do not, and those who wait for it go on. */
  takeOver(pace: PaceConfig | null): void {
    this.#takeover = this.#pacer(this.#takeover, pace);
  }

  /** CONNECTs that wait for that. */
  get waitingForTakeover(): number {
    return this.#takeover?.waiting ?? 0;
  }

  /**
   * May a new connection come in? First the limits of its source, so that one source cannot use up the frontend's rate.
   * A session enters once. After `in` it must leave(); after any other answer it may.
   */
  enter(visitor: Visitor, { frontend, source }: Entering, tell: Tell): void {
    const { sources = null, arrivals = null } = this.#frontends.get(frontend) ?? {};
    if (sources !== null) {
      const connection = sources.enter(source, this.#clock.now());
      if (connection.kind === 'refused') {
        tell(connection);
        return;
      }
      this.#visit(visitor).held = { sources, connection };
    }
    this.#pace(visitor, arrivals, tell, verdict => {
      if (verdict !== 'go') this.leave(visitor);
      tell(verdict === 'go' ? IN : refused('frontend_conn_rate'));
    });
  }

  /** May a CONNECT go to its backend? Its source's quota, the pace after a takeover, the frontend's, the backend's. */
  connect(visitor: Visitor, { frontend, source, backend }: Connecting, tell: Tell): void {
    const { sources = null, connects = null } = this.#frontends.get(frontend) ?? {};
    if (sources !== null && !sources.connect(source, this.#clock.now())) {
      tell(refused('source_connect_rate'));
      return;
    }
    const behind = this.#backends.get(backend) ?? null;
    this.#pace(visitor, this.#takeover, tell, first => {
      if (first !== 'go') {
        tell(refused(`takeover_${first}`));
        return;
      }
      this.#pace(visitor, connects, tell, verdict => {
        if (verdict !== 'go') tell(refused(`frontend_${verdict}`));
        else this.#pace(visitor, behind, tell, last => tell(last === 'go' ? IN : refused(`backend_${last}`)));
      });
    });
  }

  /** A session has ended: gives back what it has; what it still waits for is answered `gone`. May be called twice. */
  leave({ worker, session }: Visitor): void {
    const visits = this.#visits.get(worker);
    const visit = visits?.get(session);
    if (visit === undefined) return;
    visits?.delete(session);
    const { waits } = visit;
    release(visit);
    waits?.tell(GONE);
  }

  /** A worker has died, and all its sessions with it. */
  workerGone(worker: number): void {
    const visits = this.#visits.get(worker);
    this.#visits.delete(worker);
    for (const visit of visits?.values() ?? []) release(visit);
  }

  /** CONNECTs and connections that wait for their turn. */
  get waiting(): number {
    const pacers = [...this.#frontends.values()].flatMap(({ arrivals, connects }) => [arrivals, connects]);
    return [...pacers, ...this.#backends.values(), this.#takeover].reduce(
      (sum, pacer) => sum + (pacer?.waiting ?? 0),
      0,
    );
  }

  #pace(visitor: Visitor, pacer: Pacer | null, tell: Tell, next: (verdict: PaceVerdict) => void): void {
    if (pacer === null) {
      next('go');
      return;
    }
    const place = pacer.ask(verdict => {
      this.#waitsNoMore(visitor);
      next(verdict);
    });
    if (place !== null) this.#visit(visitor).waits = { pacer, place, tell };
  }

  #visit({ worker, session }: Visitor): Visit {
    const visits = this.#visits.get(worker) ?? new Map<number, Visit>();
    const visit = visits.get(session) ?? { held: null, waits: null };
    this.#visits.set(worker, visits.set(session, visit));
    return visit;
  }

  /** A session that has nothing is not remembered. */
  #waitsNoMore({ worker, session }: Visitor): void {
    const visits = this.#visits.get(worker);
    const visit = visits?.get(session);
    if (visit === undefined) return;
    visit.waits = null;
    if (visit.held === null) visits?.delete(session);
  }
}

function release({ held, waits }: Visit): void {
  waits?.pacer.cancel(waits.place);
  held?.sources.leave(held.connection);
}

function refused(reason: GateRefusal): GateAnswer {
  return { kind: 'refused', reason };
}

function hasSourceLimits({ perSource }: FrontendConfig): boolean {
  return Object.values(perSource).some(limit => limit !== null);
}

/** Workers let only so many wait, so this queue is never full and nobody in it too late: both are twice what can be. */
function arrivalPace({ connRate }: FrontendConfig, workers: number): PaceConfig | null {
  if (connRate === null) return null;
  const queue = 2 * workers * waitingPlaces(connRate, workers);
  return { limit: connRate, queue, queueTimeoutMs: (2 * queue * 1000) / connRate };
}

function sourcesOf(before: SourceCounts | null, frontend: FrontendConfig, share: number): SourceCounts | null {
  if (!hasSourceLimits(frontend)) return null;
  if (before === null) return new SourceCounts(frontend.perSource, share);
  before.reconfigure(frontend.perSource, share);
  return before;
}
