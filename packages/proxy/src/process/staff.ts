import type { Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Bindings } from './bindings.ts';
import type { Certificates } from './certificates.ts';
import { workerName } from './front_desk.ts';
import { Relief } from './relief.ts';
import { Rollout } from './rollout.ts';
import type { Servers } from './servers.ts';
import { Supervisor, type WorkerLink, type WorkerState } from './supervisor.ts';
import type { TicketOffice } from './ticket_office.ts';
import type { BindRef, ToPrimary, ToWorker } from './wire.ts';

/** What workers need to know, and who hears them. */
export interface StaffPremises {
  /** As it is in use. */
  config(): Config;
  readonly certificates: Certificates;
  readonly servers: Servers;
  readonly bindings: Bindings;
  readonly tickets: TicketOffice;
  readonly log: Log;
  said(worker: WorkerLink, message: ToPrimary): void;
  /** Nothing more will be heard of it. Answers how many sessions it had. */
  gone(worker: WorkerLink): number;
  /** It has been told a configuration: what else it is to know. */
  welcome(worker: WorkerLink): void;
  /** One more serves. */
  ready(): void;
  isStopping(): boolean;
}

/** Loading the program takes a second or so, on a busy machine some more. */
const START_DEADLINE_MS = 60_000;

/** The workers, as the primary has them: each is told what is in use, and that again when it changes. */
export class Staff {
  readonly #premises: StaffPremises;
  readonly #supervisor: Supervisor;
  readonly #rollout: Rollout = new Rollout();
  readonly #relief: Relief;
  /** Those that have been told a configuration. */
  readonly #told = new Set<number>();
  #onReady: { resolve(): void; reject(error: LimpetError): void } | null = null;

  constructor(workers: number, premises: StaffPremises) {
    this.#premises = premises;
    const events = {
      loaded: (worker: WorkerLink) => this.#start(worker),
      said: (worker: WorkerLink, message: ToPrimary) => this.#said(worker, message),
      gone: (worker: WorkerLink, how: string, wasDraining: boolean) => this.#gone(worker, how, wasDraining),
      failed: (error: LimpetError) => this.#failed(error),
    };
    this.#supervisor = new Supervisor(workers, events, premises.log);
    this.#relief = new Relief({
      bindings: premises.bindings,
      slots: () => premises.config().global.workers,
      holders: () => this.workers().filter(worker => this.state(worker) !== 'draining'),
    });
  }

  /**
   * Resolves when every worker serves.
   * @throws LimpetError WORKER_CANNOT_START, and what workers report
   */
  async start(): Promise<void> {
    const slow = new LimpetError(
      'WORKER_CANNOT_START',
      'the workers are not ready after 60 s',
      'see whether this machine is overloaded',
    );
    const deadline = setTimeout(() => this.#failed(slow), START_DEADLINE_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onReady = { resolve, reject };
        this.#supervisor.start();
      });
    } finally {
      clearTimeout(deadline);
    }
  }

  /** `Supervisor.lastNumber`. */
  get lastNumber(): number {
    return this.#supervisor.lastNumber;
  }

  /** `Supervisor.numberFrom`. */
  numberFrom(lastNumber: number): void {
    this.#supervisor.numberFrom(lastNumber);
  }

  /** All that run, those that drain too. */
  workers(): readonly WorkerLink[] {
    return this.#supervisor.workers();
  }

  /** Those of them that have been told a configuration. */
  toldWorkers(): readonly WorkerLink[] {
    return this.workers().filter(({ id }) => this.#told.has(id));
  }

  state(worker: WorkerLink): WorkerState {
    return this.#supervisor.state(worker);
  }

  /** What a worker listens on: one that drains on nothing. */
  bindRefs(worker: WorkerLink): BindRef[] {
    return this.state(worker) === 'draining' ? [] : this.#relief.refs(worker);
  }

  /** To the worker of that number, if it still runs. */
  say(worker: number, message: ToWorker): void {
    this.#supervisor
      .workers()
      .find(({ id }) => id === worker)
      ?.say(message);
  }

  sayAll(message: ToWorker): void {
    this.#supervisor.sayAll(message);
  }

  /** From now on so many: `Supervisor.resize`. */
  resize(workers: number): void {
    this.#supervisor.resize(workers);
  }

  /**
   * Brings the configuration in use to all of them; one that cannot take it over is replaced.
   * `others`: bindKeys and `backend/server` whose TLS files are others than before, which no worker needs to read.
   * @throws LimpetError RELOAD_LATE
   */
  async changeOver(others: ReadonlySet<string>): Promise<void> {
    const { certificates, servers, config } = this.#premises;
    const kept = { binds: certificates.kept(others), servers: servers.kept(others) };
    const { failed, late } = await this.#rollout.toAll(this.toldWorkers(), (generation, worker) => {
      const binds = this.state(worker) === 'draining' ? [] : this.#relief.refsToTell(worker);
      return ['config', generation, config(), binds, kept];
    });
    for (const { worker, error } of failed) this.#replace(worker, error);
    if (late !== null) throw late;
  }

  /** Nobody is replaced any more. Resolves when the last one is gone: `Supervisor.stop`. */
  stop(): Promise<void> {
    return this.#supervisor.stop();
  }

  killAll(): void {
    this.#supervisor.killAll();
  }

  #start(worker: WorkerLink): void {
    const { certificates, servers, tickets, config } = this.#premises;
    const kept = { binds: certificates.kept(), servers: servers.kept() };
    const name = workerName(config(), worker.id);
    this.#told.add(worker.id);
    worker.say(['start', config(), name, this.#relief.refsToTell(worker), kept, worker.slot]);
    for (const { name: backend } of config().backends) {
      worker.say(['view', backend, servers.statuses(backend)]);
    }
    tickets.tell(message => worker.say(message));
    this.#premises.welcome(worker);
  }

  #said(worker: WorkerLink, message: ToPrimary): void {
    if (message[0] === 'configured') this.#configured(worker, message[1], message[2]);
    else if (message[0] === 'ready') this.#ready(worker);
    else if (message[0] === 'full') this.#full(worker, message[1]);
    else this.#premises.said(worker, message);
  }

  #full(worker: WorkerLink, isFull: boolean): void {
    if (this.state(worker) !== 'draining') this.#relief.said(worker, isFull);
  }

  #configured(worker: WorkerLink, generation: number, error: string | null): void {
    const isHeard = this.#rollout.configured(worker.id, generation, error);
    if (!isHeard && error !== null) this.#replace(worker, error);
  }

  /** What it serves is out of date. */
  #replace(worker: WorkerLink, error: string): void {
    const message = `worker ${worker.id} cannot take the configuration over and is replaced: ${error}`;
    this.#premises.log.error('worker_failed', { id: worker.id, error }, message);
    this.#supervisor.replace(worker);
    this.#relief.gone(worker);
  }

  #ready(worker: WorkerLink): void {
    this.#premises.log.debug('worker_ready', { id: worker.id, worker_pid: worker.pid });
    const areAll = this.#supervisor.markReady(worker);
    this.#premises.ready();
    if (!areAll) return;
    this.#onReady?.resolve();
    this.#onReady = null;
  }

  #gone(worker: WorkerLink, how: string, wasDraining: boolean): void {
    const { log, gone, isStopping } = this.#premises;
    this.#told.delete(worker.id);
    this.#relief.gone(worker);
    const sessions = gone(worker);
    this.#rollout.workerGone(worker.id);
    const fields = { id: worker.id, worker_pid: worker.pid, how, sessions };
    const isExpected = isStopping() || this.#onReady !== null || wasDraining;
    if (!isExpected) log.error('worker_died', fields, `worker ${worker.id} died: ${how}`);
    else log.debug('worker_gone', fields);
  }

  #failed(error: LimpetError): void {
    if (this.#onReady === null) return;
    this.#onReady.reject(error);
    this.#onReady = null;
  }
}
