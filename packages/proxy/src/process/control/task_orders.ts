import type { By, DrainRequest, RebalanceRequest } from '../../admin/control.ts';
import type { TaskFacts } from '../../admin/snapshot.ts';
import { checkDrain } from '../drains/drains.ts';
import { findBackend, findServer, nameOf } from './lookup.ts';
import type { OrderBook } from './order_book.ts';
import type { Premises } from './premises.ts';

/** What operators order of drains and rebalances: as `Control` says. */
export class TaskOrders {
  readonly #premises: Premises;
  readonly #book: OrderBook;

  constructor(premises: Premises, book: OrderBook) {
    this.#premises = premises;
    this.#book = book;
  }

  async drain(request: DrainRequest, by: By): Promise<TaskFacts> {
    findServer(this.#premises.config(), request);
    checkDrain(request);
    const pace = request.rate === null ? 'new clients only' : `${request.rate} sessions a second`;
    this.#book.note(by, `server ${nameOf(request)}: drain, ${pace}`);
    // First the state: whoever is asked to leave must not come back here.
    await this.#book.record(request, { state: 'drain' });
    return this.#premises.drains.drain(request);
  }

  async rebalance(request: RebalanceRequest, by: By): Promise<TaskFacts> {
    findBackend(this.#premises.config(), request.backend);
    const task = this.#premises.drains.rebalance(request);
    this.#book.note(by, `backend ${request.backend}: rebalance, ${request.rate} sessions a second`);
    return task;
  }

  async pause(id: number, by: By): Promise<TaskFacts> {
    const task = this.#premises.drains.pause(id);
    this.#book.note(by, `${task.kind} ${id} paused`);
    return task;
  }

  async resume(id: number, by: By): Promise<TaskFacts> {
    const task = this.#premises.drains.resume(id);
    this.#book.note(by, `${task.kind} ${id} goes on`);
    return task;
  }

  async cancel(id: number, by: By): Promise<TaskFacts> {
    const task = this.#premises.drains.cancel(id);
    this.#book.note(by, `${task.kind} ${id} taken back`);
    if (task.server === null) return task;
    const ref = { backend: task.backend, server: task.server };
    if (this.#book.recordOf(ref).state === 'drain') await this.#book.record(ref, { state: 'ready' });
    return task;
  }
}
