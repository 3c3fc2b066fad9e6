import type { DrainRequest, RebalanceRequest } from '../../admin/control.ts';
import type { TaskFacts } from '../../admin/snapshot.ts';
import { LimpetError } from '../../errors.ts';
import { DrainTask, type PacedTask, RebalanceTask } from './drain_task.ts';
import { Evictions } from './evictions.ts';
import type { DrainPremises } from './premises.ts';

/** Two in 100 ms, which the pace can make up for: a tick that comes late costs nothing. */
const TICK_MS = 50;
const KEPT_MS = 3_600_000;
const MOST_KEPT = 100;

/**
 * Drains and rebalances, in the primary: asks sessions to leave at a pace, until the work is done. A task lives as long as
 * the process; a reload does not touch it, unless its server or backend is gone.
 */
export class Drains {
  readonly #premises: DrainPremises;
  readonly #evictions: Evictions;
  #tasks: PacedTask[] = [];
  #lastId = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(premises: DrainPremises) {
    this.#premises = premises;
    this.#evictions = new Evictions(premises);
  }

  /** All that run or are paused, and those that ended in the last hour (100 at most), oldest first. */
  tasks(): readonly TaskFacts[] {
    this.#forget();
    return this.#tasks.map(task => task.facts());
  }

  /**
   * Begins to empty a server whose state is, or is about to be, `drain`. A task of the same server that runs ends.
   * @throws LimpetError UNKNOWN_SERVER, BAD_VALUE
   */
  drain(request: DrainRequest): TaskFacts {
    const { backend, server } = request;
    const known = this.#premises.backend(backend)?.config.servers.some(({ name }) => name === server);
    if (known !== true)
      throw new LimpetError('UNKNOWN_SERVER', `no server ${backend}/${server}`, 'see `limpet status`');
    checkDrain(request);
    this.leave(backend, server);
    return this.#begin(new DrainTask(++this.#lastId, request, this.#premises, this.#evictions));
  }

  /**
   * Begins to move what each server of a backend has above its share. A rebalance of the same backend that runs ends.
   * @throws LimpetError UNKNOWN_BACKEND, BAD_VALUE: the algorithm says where each client belongs
   */
  rebalance(request: RebalanceRequest): TaskFacts {
    const config = this.#premises.backend(request.backend)?.config;
    if (config === undefined) {
      throw new LimpetError('UNKNOWN_BACKEND', `no backend ${request.backend}`, 'see `limpet status`');
    }
    if (config.balance === 'first' || config.balance === 'source' || config.balance === 'hash') {
      const remedy = 'Only backends with balance roundrobin, leastconn or random can be evened.';
      throw badValue(`rebalance of a backend with balance ${config.balance}`, remedy);
    }
    checkRate(request.rate);
    if (!(request.threshold >= 0 && request.threshold <= 10)) {
      throw badValue(`threshold ${request.threshold}`, 'give a part of the share: 0 to 10, as 0.05');
    }
    for (const task of this.#running('rebalance', request.backend)) task.end('cancelled');
    return this.#begin(new RebalanceTask(++this.#lastId, request, this.#premises, this.#evictions));
  }

  /** @throws LimpetError UNKNOWN_TASK, TASK_ENDED; so do resume() and cancel() */
  pause(id: number): TaskFacts {
    return this.#find(id).pause();
  }

  resume(id: number): TaskFacts {
    return this.#find(id).resume();
  }

  /** Nobody more is asked to leave. The server's state is the caller's. */
  cancel(id: number): TaskFacts {
    return this.#find(id).end('cancelled');
  }

  /** An operator has given that server another state than `drain`: what empties it ends. */
  leave(backend: string, server: string): void {
    for (const task of this.#running('drain', backend)) {
      if (task.facts().server === server) task.end('cancelled');
    }
  }

  /** A worker's `evicted`. */
  evicted(worker: number, backend: string, server: string, asked: number): void {
    this.#evictions.evicted(worker, backend, server, asked);
  }

  workerGone(worker: number): void {
    this.#evictions.workerGone(worker);
  }

  /** Nothing is asked any more. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#tasks = [];
  }

  #begin(task: PacedTask): TaskFacts {
    this.#forget();
    this.#tasks.push(task);
    task.begin();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return task.facts();
  }

  #tick(): void {
    for (const task of this.#tasks) task.tick();
    if (this.#tasks.some(task => task.isOpen) || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #running(kind: TaskFacts['kind'], backend: string): PacedTask[] {
    return this.#tasks.filter(task => {
      const facts = task.facts();
      return task.isOpen && facts.kind === kind && facts.backend === backend;
    });
  }

  #find(id: number): PacedTask {
    const task = this.#tasks.find(one => one.facts().id === id);
    if (task === undefined) throw new LimpetError('UNKNOWN_TASK', `no task ${id}`, 'see `limpet status`');
    if (task.isOpen) return task;
    throw new LimpetError('TASK_ENDED', `task ${id} has ended`, 'to take a server back into service, set it to ready');
  }

  #forget(): void {
    const sinceMs = Date.now() - KEPT_MS;
    const ended = this.#tasks.filter(task => !task.isOpen);
    const old = ended.filter((task, i) => (task.facts().endedAtMs ?? 0) < sinceMs || i < ended.length - MOST_KEPT);
    if (old.length > 0) this.#tasks = this.#tasks.filter(task => !old.includes(task));
  }
}

/** Before anything is done about it. @throws LimpetError BAD_VALUE */
export function checkDrain({ rate, until }: Pick<DrainRequest, 'rate' | 'until'>): void {
  if (rate !== null) checkRate(rate);
  if (!Number.isInteger(until) || until < 0) throw badValue(`until ${until}`, 'give a number of sessions: 0 or more');
}

function checkRate(rate: number): void {
  if (!(rate > 0 && rate <= 1_000_000)) throw badValue(`rate ${rate}`, 'give sessions a second: above 0, as 200/s');
}

function badValue(what: string, remedy: string): LimpetError {
  return new LimpetError('BAD_VALUE', what, remedy);
}
