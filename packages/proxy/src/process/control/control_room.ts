import { stickKey } from '@limpet/state';
import type { ConnectError, SessionFacts, SessionFilter } from '../../account/session_facts.ts';
import type { AdminEvent, By, ClientFacts, Control, ReloadReport, TableAdmin } from '../../admin/control.ts';
import type { HistoryFacts } from '../../admin/history.ts';
import type { Snapshot } from '../../admin/snapshot.ts';
import { LimitOrders } from './limit_orders.ts';
import { OrderBook } from './order_book.ts';
import type { Premises } from './premises.ts';
import { ServerOrders } from './server_orders.ts';
import { TaskOrders } from './task_orders.ts';

const MOST_SESSIONS = 1_000_000;

/** The proxy in the hands of its operators: checks what they ask for, does it, and writes down who asked. */
export class ControlRoom implements Control {
  readonly #premises: Premises;
  readonly #book: OrderBook;
  readonly #servers: ServerOrders;
  readonly #limits: LimitOrders;
  readonly #tasks: TaskOrders;

  readonly setServerState: Control['setServerState'] = (...order) => this.#servers.setState(...order);
  readonly setServerWeight: Control['setServerWeight'] = (...order) => this.#servers.setWeight(...order);
  readonly setServerAddress: Control['setServerAddress'] = (...order) => this.#servers.setAddress(...order);
  readonly setServerMaxconn: Control['setServerMaxconn'] = (...order) => this.#servers.setMaxconn(...order);
  readonly setServerHealth: Control['setServerHealth'] = (...order) => this.#servers.setHealth(...order);
  readonly setServerChecks: Control['setServerChecks'] = (...order) => this.#servers.setChecks(...order);
  readonly addServer: Control['addServer'] = (...order) => this.#servers.add(...order);
  readonly delServer: Control['delServer'] = (...order) => this.#servers.del(...order);

  readonly setFrontendEnabled: Control['setFrontendEnabled'] = (...order) => this.#limits.setFrontendEnabled(...order);
  readonly setFrontendMaxconn: Control['setFrontendMaxconn'] = (...order) => this.#limits.setFrontendMaxconn(...order);
  readonly setFrontendConnRate: Control['setFrontendConnRate'] = (...order) =>
    this.#limits.setFrontendConnRate(...order);
  readonly setGlobalMaxconn: Control['setGlobalMaxconn'] = (...order) => this.#limits.setGlobalMaxconn(...order);

  readonly drain: Control['drain'] = (...order) => this.#tasks.drain(...order);
  readonly rebalance: Control['rebalance'] = (...order) => this.#tasks.rebalance(...order);
  readonly pauseTask: Control['pauseTask'] = (...order) => this.#tasks.pause(...order);
  readonly resumeTask: Control['resumeTask'] = (...order) => this.#tasks.resume(...order);
  readonly cancelTask: Control['cancelTask'] = (...order) => this.#tasks.cancel(...order);

  constructor(premises: Premises) {
    this.#premises = premises;
    this.#book = new OrderBook(premises.admin, premises.log);
    this.#servers = new ServerOrders(premises, this.#book);
    this.#limits = new LimitOrders(premises, this.#book);
    this.#tasks = new TaskOrders(premises, this.#book);
  }

  get table(): TableAdmin {
    return this.#premises.table;
  }

  snapshot(): Snapshot {
    return this.#premises.snapshot();
  }

  history(): HistoryFacts {
    return this.#premises.history();
  }

  events(afterId: number): readonly AdminEvent[] {
    return this.#premises.events.after(afterId);
  }

  onEvent(listener: (event: AdminEvent) => void): () => void {
    return this.#premises.events.listen(listener);
  }

  errors(): readonly ConnectError[] {
    return this.#premises.errors();
  }

  sessions(filter: SessionFilter, limit: number): Promise<readonly SessionFacts[]> {
    return this.#premises.questions.list(filter, Math.min(limit, MOST_SESSIONS));
  }

  async endSessions(filter: SessionFilter, by: By): Promise<number> {
    const ended = await this.#premises.questions.end(filter);
    // What is in the filter may be a client's text: the log has a field for that, not this line.
    const what = ended === 1 ? '1 session' : `${ended} sessions`;
    this.#book.note(by, `${what} ended, chosen by ${Object.keys(filter).join(', ') || 'nothing'}`);
    return ended;
  }

  async client(clientId: string): Promise<ClientFacts> {
    const byClientId = this.#premises.config().backends.filter(({ stick }) => stick?.field === 'client_id');
    const key = stickKey(clientId);
    const [sessions, ...found] = await Promise.all([
      this.sessions({ clientId }, 100),
      ...byClientId.map(async ({ name }) => ({ backend: name, entry: await this.table.get(name, key) })),
    ]);
    const entries = found.flatMap(({ backend, entry }) => (entry === null ? [] : [{ ...entry, backend }]));
    return { clientId, sessions, entries };
  }

  async reload(by: By): Promise<ReloadReport> {
    this.#book.note(by, 'reload');
    return await this.#premises.reload();
  }
}
