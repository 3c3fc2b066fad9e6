import type { AdminState } from '@limpet/state';
import type {
  AdminEvent,
  ClientFacts,
  Control,
  DrainRequest,
  ServerRef,
  TableAdmin,
} from '../../../src/admin/control.ts';
import type { HistoryFacts } from '../../../src/admin/history.ts';
import type { Snapshot, TaskFacts } from '../../../src/admin/snapshot.ts';
import { LimpetError } from '../../../src/errors.ts';
import { backend, fleet, historyOf, server, sessionOf, snapshotOf } from './page_facts.ts';

function notHere(): never {
  throw new Error('the page asks for nothing of this');
}

/** A Control with made-up facts: orders change them, and `advance()` lets a moment pass. */
export class PageControl implements Control {
  readonly orders: string[] = [];
  readonly asked: string[] = [];
  /** Servers of the fleet that are not there just now. */
  readonly gone = new Set<string>();
  /** This proxy shares nothing with others. */
  isAlone = false;
  /** Orders are refused with this. */
  refusal: LimpetError | null = null;
  readonly #states = new Map<string, AdminState>();
  readonly #listeners = new Set<(event: AdminEvent) => void>();
  readonly #events: AdminEvent[] = [];
  readonly #fleetSize: number;
  #task: TaskFacts | null = null;
  #moment = 0;

  constructor(fleetSize: number) {
    this.#fleetSize = fleetSize;
  }

  snapshot(): Snapshot {
    const nowMs = Date.now();
    const brokers = ['emqx1', 'emqx2', 'emqx3'].map((name, at) => {
      const sessions = name === this.#task?.server ? this.#task.left : 1004 + at * 60 + (this.#moment % 5);
      return server(name, at + 1, nowMs, { sessions, admin: this.#states.get(name) ?? 'ready' });
    });
    const backends = [backend('emqx', brokers)];
    const there = fleet(this.#fleetSize, nowMs, this.#moment).filter(one => !this.gone.has(one.name));
    if (there.length > 0) backends.push(backend('fleet', there));
    const seen = snapshotOf(backends, this.#task === null ? [] : [this.#task], nowMs);
    return this.isAlone ? { ...seen, proxies: seen.proxies.slice(2) } : seen;
  }

  history(): HistoryFacts {
    return historyOf(this.snapshot().backends, Date.now());
  }

  /** The drain goes on by one second, and numbers move. */
  advance(): void {
    this.#moment += 1;
    const task = this.#task;
    if (task?.state !== 'running') return;
    const moved = Math.min(task.total, task.moved + task.rate);
    const isDone = moved === task.total;
    const end = isDone ? { state: 'done' as const, endedAtMs: Date.now() } : {};
    this.#task = { ...task, moved, left: task.total - moved, ...end };
  }

  happen(level: AdminEvent['level'], event: string, message: string): void {
    const told: AdminEvent = { id: this.#events.length + 1, atMs: Date.now(), level, event, message };
    this.#events.push(told);
    for (const listener of this.#listeners) listener(told);
  }

  events(afterId: number): readonly AdminEvent[] {
    return this.#events.filter(({ id }) => id > afterId);
  }

  onEvent(listener: (event: AdminEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async setServerState(ref: ServerRef, state: AdminState): Promise<void> {
    this.#order(`${ref.backend}/${ref.server} ${state}`);
    this.#states.set(ref.server, state);
    if (state === 'ready') this.#task = null;
  }

  async drain({ backend: name, server: one, rate, until }: DrainRequest): Promise<TaskFacts> {
    this.#order(`drain ${name}/${one} rate=${rate} until=${until}`);
    const total = this.snapshot().backends[0]?.servers.find(it => it.name === one)?.sessions ?? 0;
    this.#states.set(one, 'drain');
    const work = { rate: rate ?? 1, total, moved: 0, left: total, startedAtMs: Date.now(), endedAtMs: null };
    this.#task = { id: 7, kind: 'drain', backend: name, server: one, state: 'running', ...work };
    return this.#task;
  }

  async pauseTask(id: number): Promise<TaskFacts> {
    return this.#turn(id, 'paused');
  }

  async resumeTask(id: number): Promise<TaskFacts> {
    return this.#turn(id, 'running');
  }

  async cancelTask(id: number): Promise<TaskFacts> {
    const task = this.#turn(id, 'cancelled');
    this.#states.set(task.server ?? '', 'ready');
    this.#task = { ...task, endedAtMs: Date.now() };
    return this.#task;
  }

  #turn(id: number, state: TaskFacts['state']): TaskFacts {
    this.#order(`task ${id} ${state}`);
    if (this.#task === null) throw new LimpetError('UNKNOWN_TASK', 'no such task', '');
    this.#task = { ...this.#task, state };
    return this.#task;
  }

  #order(words: string): void {
    if (this.refusal !== null) throw this.refusal;
    this.orders.push(words);
  }

  async client(clientId: string): Promise<ClientFacts> {
    this.asked.push(clientId);
    if (clientId === 'nobody') return { clientId, sessions: [], entries: [] };
    const nowMs = Date.now();
    const by = { owner: 'lb1/2', epoch: 90_317 };
    const entry = {
      key: clientId,
      server: 'emqx1',
      state: 'cooling' as const,
      ttlMs: 1_512_000,
      backend: 'emqx',
      ...by,
    };
    return { clientId, sessions: [sessionOf(clientId, nowMs)], entries: [entry] };
  }

  readonly table: TableAdmin = {
    names: [],
    walk: notHere,
    page: notHere,
    get: notHere,
    set: notHere,
    clearKey: notHere,
    clear: notHere,
    import: notHere,
    used: notHere,
  };
  readonly rebalance = notHere;
  readonly setServerWeight = notHere;
  readonly setServerAddress = notHere;
  readonly setServerMaxconn = notHere;
  readonly setServerHealth = notHere;
  readonly setServerChecks = notHere;
  readonly addServer = notHere;
  readonly delServer = notHere;
  readonly setFrontendEnabled = notHere;
  readonly setFrontendMaxconn = notHere;
  readonly setFrontendConnRate = notHere;
  readonly setGlobalMaxconn = notHere;
  readonly sessions = notHere;
  readonly endSessions = notHere;
  readonly errors = notHere;
  readonly reload = notHere;
}
