import type { DrainRequest, RebalanceRequest } from '../../admin/control.ts';
import type { TaskFacts } from '../../admin/snapshot.ts';
import { type Bearer, bearersOf, surplusOf } from '../../route/rebalance.ts';
import type { Eviction } from '../../workshop.ts';
import type { Evictions } from './evictions.ts';
import { Pace, spread } from './pace.ts';
import type { DrainPremises } from './premises.ts';

/** Clients that were asked to leave come back by then, or they are not waited for. */
const RETURN_MS = 30_000;

/** Sessions of one server that are to leave. */
interface Work {
  readonly server: string;
  readonly count: number;
}

/** A drain or a rebalance. Its owner calls tick() every 50 ms or so. */
export abstract class PacedTask {
  readonly #id: number;
  readonly #rate: number;
  readonly #eviction: Eviction;
  readonly #startedAtMs: number = Date.now();
  readonly #pace: Pace;
  readonly #evictions: Evictions;
  protected readonly premises: DrainPremises;
  #state: TaskFacts['state'] = 'running';
  #endedAtMs: number | null = null;
  #total = 0;
  /** What was left when it ended. */
  #leftAtEnd = 0;
  protected moved = 0;
  /** When somebody was last asked to leave, monotonic. */
  protected lastAskedMs: number = performance.now();

  protected constructor(
    id: number,
    request: { readonly rate: number | null },
    eviction: Eviction,
    premises: DrainPremises,
    evictions: Evictions,
  ) {
    this.#id = id;
    this.#rate = request.rate ?? 0;
    this.#eviction = eviction;
    this.#pace = new Pace(this.#rate, performance.now());
    this.#evictions = evictions;
    this.premises = premises;
  }

  protected abstract readonly kind: TaskFacts['kind'];
  protected abstract readonly backend: string;
  protected abstract readonly server: string | null;
  /** What is left to move, by server; null: what it is about is gone. */
  protected abstract work(): readonly Work[] | null;
  /** Nothing is left to move: whether that was all. */
  protected abstract isDone(): boolean;
  /** It runs, or does not any more. */
  protected running(_on: boolean): void {}

  get isOpen(): boolean {
    return this.#state === 'running' || this.#state === 'paused';
  }

  facts(): TaskFacts {
    const left = this.isOpen ? sum(this.work() ?? []) : this.#leftAtEnd;
    const { kind, backend, server } = this;
    const numbers = { rate: this.#rate, total: this.#total, moved: this.moved, left };
    const times = { startedAtMs: this.#startedAtMs, endedAtMs: this.#endedAtMs };
    return { id: this.#id, kind, backend, server, state: this.#state, ...numbers, ...times };
  }

  begin(): void {
    this.#total = sum(this.work() ?? []);
    this.running(true);
  }

  pause(): TaskFacts {
    this.#state = 'paused';
    this.running(false);
    return this.facts();
  }

  resume(): TaskFacts {
    if (this.#state === 'paused') this.#pace.restart(performance.now());
    this.#state = 'running';
    this.running(true);
    return this.facts();
  }

  end(state: 'done' | 'cancelled'): TaskFacts {
    this.#leftAtEnd = sum(this.work() ?? []);
    this.#state = state;
    this.#endedAtMs = Date.now();
    this.running(false);
    this.premises.ended(this.facts());
    return this.facts();
  }

  tick(): void {
    if (!this.isOpen) return;
    const work = this.work();
    if (work === null) {
      this.end('cancelled');
      return;
    }
    if (this.#state === 'paused') return;
    if (sum(work) === 0) {
      if (this.isDone()) this.end('done');
      return;
    }
    this.#ask(work);
  }

  /** What workers were told already, and have not answered for, is not asked for again. */
  #ask(work: readonly Work[]): void {
    const open = work.map(({ server, count }) => Math.max(0, count - this.#evictions.pending(this.backend, server)));
    const most = open.reduce((total, one) => total + one, 0);
    const parts = spread(this.#pace.take(performance.now(), most), open);
    for (const [i, { server }] of work.entries()) {
      const part = parts[i] ?? 0;
      if (part > 0) this.#evictions.ask(this.backend, server, part, this.#eviction, (...told) => this.#told(...told));
    }
  }

  #told(asked: number, count: number): void {
    this.moved += asked;
    if (asked > 0) this.lastAskedMs = performance.now();
    this.#pace.answered(asked, count);
  }
}

/** Empties one server. */
export class DrainTask extends PacedTask {
  protected readonly kind = 'drain';
  protected readonly backend: string;
  protected readonly server: string;
  readonly #until: number;
  /** It is in that state: from then on the loss of it ends the task. */
  #isDrained = false;

  constructor(id: number, request: DrainRequest, premises: DrainPremises, evictions: Evictions) {
    // Its entries stay: they name a server that is not usable, so they lead nobody back.
    super(id, request, { reason: request.reason, forget: false }, premises, evictions);
    this.backend = request.backend;
    this.server = request.server;
    this.#until = request.until;
  }

  protected work(): readonly Work[] | null {
    const status = this.premises.backend(this.backend)?.statuses.find(({ name }) => name === this.server);
    if (status === undefined) return null;
    const isDrained = status.admin === 'drain' || status.admin === 'maint';
    if (this.#isDrained && !isDrained) return null;
    this.#isDrained ||= isDrained;
    const left = this.premises.conns(this.backend, this.server) - this.#until;
    return [{ server: this.server, count: Math.max(0, left) }];
  }

  protected isDone(): boolean {
    return true;
  }
}

/** Takes from each server of a backend what it has above its share. */
export class RebalanceTask extends PacedTask {
  protected readonly kind = 'rebalance';
  protected readonly backend: string;
  protected readonly server = null;
  readonly #threshold: number;
  /** Sessions there were at the start. */
  readonly #sessions: number;

  constructor(id: number, request: RebalanceRequest, premises: DrainPremises, evictions: Evictions) {
    super(id, request, { reason: request.reason, forget: true }, premises, evictions);
    this.backend = request.backend;
    this.#threshold = request.threshold;
    this.#sessions = connsOf(this.#bearers() ?? []);
  }

  /** Clients on their way still count, or the share would fall while they are asked to leave. */
  protected work(): readonly Work[] | null {
    const bearers = this.#bearers();
    if (bearers === null) return null;
    // Each session was asked once, as it were: what is uneven still, is so for another reason.
    if (this.moved > this.#sessions) return [];
    const expected = Math.max(this.#sessions, connsOf(bearers));
    return surplusOf(bearers, expected, this.#threshold).map(({ server, surplus }) => ({ server, count: surplus }));
  }

  /** Until they are back the scheduler goes on to send them where there is room. */
  protected isDone(): boolean {
    const isBack = connsOf(this.#bearers() ?? []) >= this.#sessions;
    return isBack || this.moved === 0 || performance.now() - this.lastAskedMs > RETURN_MS;
  }

  protected override running(on: boolean): void {
    this.premises.setEvening(this.backend, on);
  }

  #bearers(): Bearer[] | null {
    const known = this.premises.backend(this.backend);
    if (known === null) return null;
    return bearersOf(known.config, known.statuses, server => this.premises.conns(this.backend, server));
  }
}

function sum(work: readonly Work[]): number {
  return work.reduce((total, { count }) => total + count, 0);
}

function connsOf(bearers: readonly Bearer[]): number {
  return bearers.reduce((total, { conns }) => total + conns, 0);
}
