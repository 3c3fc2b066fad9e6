/** A Control without a proxy: it keeps what it is told, and remembers every order. */
import type { StickEntry } from '@limpet/state';
import type { ConnectError, SessionFacts, SessionFilter } from '../../../../src/account/session_facts.ts';
import type {
  AdminEvent,
  ClientFacts,
  Control,
  EntryFilter,
  EntryPage,
  ExportFormat,
  ImportReport,
  ReloadReport,
  ServerRef,
  TableAdmin,
} from '../../../../src/admin/control.ts';
import type { HistoryFacts } from '../../../../src/admin/history.ts';
import type { ServerFacts, Snapshot, TaskFacts } from '../../../../src/admin/snapshot.ts';
import { entryText } from '../../../../src/admin/table/entry_text.ts';
import type { LimpetError } from '../../../../src/errors.ts';
import { NOW_MS, snapshot } from './facts.ts';

export class PlainTable implements TableAdmin {
  readonly names: readonly string[] = ['emqx'];
  entries: StickEntry[] = [];
  /** So many times walk() is begun, and so many chunks it has handed out. */
  walks = 0;
  chunks = 0;
  /** Set: a walk repeats its entries for ever. */
  isEndless = false;
  /** Set: a walk breaks off behind its entries. */
  failure: Error | null = null;

  async *walk(_backend: string, format: ExportFormat, filter: EntryFilter): AsyncGenerator<Buffer> {
    this.walks += 1;
    const text = entryText(format, { servers: ['emqx1', 'emqx2', 'emqx3'], expireMs: 1_800_000 });
    do {
      for (const entry of this.entries) {
        if (!matches(entry, filter)) continue;
        this.chunks += 1;
        yield Buffer.from(text(entry));
      }
    } while (this.isEndless);
    if (this.failure !== null) throw this.failure;
  }

  async page(): Promise<EntryPage> {
    return { entries: this.entries, next: null };
  }

  async get(_backend: string, key: string): Promise<StickEntry | null> {
    return this.entries.find(entry => entry.key === key) ?? null;
  }

  async set(_backend: string, key: string, name: string): Promise<void> {
    this.entries = this.entries.filter(entry => entry.key !== key);
    this.entries.push({ key, server: name, state: 'cooling', ttlMs: 1_800_000, owner: 'lb1/0', epoch: 1 });
  }

  async clearKey(_backend: string, key: string): Promise<boolean> {
    const before = this.entries.length;
    this.entries = this.entries.filter(entry => entry.key !== key);
    return this.entries.length < before;
  }

  async clear(_backend: string, filter: EntryFilter): Promise<number> {
    const before = this.entries.length;
    this.entries = this.entries.filter(entry => !matches(entry, filter));
    return before - this.entries.length;
  }

  async import(): Promise<ImportReport> {
    return { read: 0, written: 0, kept: 0, errors: [] };
  }

  async used(): Promise<number> {
    return this.entries.length;
  }
}

/** Orders as `method(arguments)` without who gave them; `by` holds the last one's. */
export class PlainControl implements Control {
  facts: Snapshot = snapshot();
  readonly orders: string[] = [];
  by = '';
  live: SessionFacts[] = [];
  bad: ConnectError[] = [];
  report: ReloadReport = { ok: true, changes: [], needsRestart: [], warnings: [], problems: [] };
  readonly table: PlainTable = new PlainTable();
  /** Set: the next order is refused so. */
  refusal: LimpetError | null = null;

  snapshot(): Snapshot {
    return this.facts;
  }
  history(): HistoryFacts {
    throw new Error('not asked for here');
  }
  events(): readonly AdminEvent[] {
    return [];
  }
  onEvent(): () => void {
    return () => {};
  }

  async setServerState(ref: ServerRef, state: ServerFacts['admin'], by: string): Promise<void> {
    this.#order('state', [ref, state], by);
    this.change(ref, { admin: state });
  }
  async setServerWeight(ref: ServerRef, weight: number | null, by: string): Promise<void> {
    this.#order('weight', [ref, weight], by);
    this.change(ref, { weight: weight ?? 1 });
  }
  async setServerAddress(ref: ServerRef, host: string, port: number | null, by: string): Promise<void> {
    this.#order('address', [ref, host, port], by);
    this.change(ref, { host, address: host, ...(port === null ? {} : { port }) });
  }
  async setServerMaxconn(ref: ServerRef, maxconn: number | null, by: string): Promise<void> {
    this.#order('maxconn', [ref, maxconn], by);
  }
  async setServerHealth(ref: ServerRef, verdict: 'up' | 'down', by: string): Promise<void> {
    this.#order('health', [ref, verdict], by);
  }
  async setServerChecks(ref: ServerRef, enabled: boolean, by: string): Promise<void> {
    this.#order('checks', [ref, enabled], by);
  }
  async addServer(ref: ServerRef, what: object, by: string): Promise<void> {
    this.#order('add', [ref, what], by);
  }
  async delServer(ref: ServerRef, by: string): Promise<void> {
    this.#order('del', [ref], by);
  }
  async setFrontendEnabled(frontend: string, enabled: boolean, by: string): Promise<void> {
    this.#order('frontend', [frontend, enabled], by);
  }
  async setFrontendMaxconn(frontend: string, maxconn: number | null, by: string): Promise<void> {
    this.#order('frontendMaxconn', [frontend, maxconn], by);
  }
  async setFrontendConnRate(frontend: string, rate: number | null, by: string): Promise<void> {
    this.#order('frontendConnRate', [frontend, rate], by);
  }
  async setGlobalMaxconn(maxconn: number, by: string): Promise<void> {
    this.#order('globalMaxconn', [maxconn], by);
  }
  async drain(request: object, by: string): Promise<TaskFacts> {
    this.#order('drain', [request], by);
    return TASK;
  }
  async rebalance(request: object, by: string): Promise<TaskFacts> {
    this.#order('rebalance', [request], by);
    return { ...TASK, kind: 'rebalance', server: null };
  }
  async pauseTask(id: number, by: string): Promise<TaskFacts> {
    this.#order('pause', [id], by);
    return { ...TASK, state: 'paused' };
  }
  async resumeTask(id: number, by: string): Promise<TaskFacts> {
    this.#order('resume', [id], by);
    return TASK;
  }
  async cancelTask(id: number, by: string): Promise<TaskFacts> {
    this.#order('cancel', [id], by);
    return { ...TASK, state: 'cancelled', endedAtMs: NOW_MS };
  }

  async sessions(filter: SessionFilter, limit: number): Promise<readonly SessionFacts[]> {
    return this.live.filter(session => isMeant(session, filter)).slice(0, limit);
  }
  async endSessions(filter: SessionFilter, by: string): Promise<number> {
    this.#order('end', [filter], by);
    const before = this.live.length;
    this.live = this.live.filter(session => !isMeant(session, filter));
    return before - this.live.length;
  }
  async client(clientId: string): Promise<ClientFacts> {
    return { clientId, sessions: [], entries: [] };
  }
  errors(): readonly ConnectError[] {
    return this.bad;
  }
  async reload(by: string): Promise<ReloadReport> {
    this.#order('reload', [], by);
    return this.report;
  }

  change(ref: ServerRef, facts: Partial<ServerFacts>): void {
    const backends = this.facts.backends.map(backend => ({
      ...backend,
      servers: backend.servers.map(server =>
        backend.name === ref.backend && server.name === ref.server ? { ...server, ...facts } : server,
      ),
    }));
    this.facts = { ...this.facts, backends };
  }

  #order(what: string, args: readonly unknown[], by: string): void {
    if (this.refusal !== null) throw this.refusal;
    this.by = by;
    const words = args.map(arg => (isRef(arg) ? `${arg.backend}/${arg.server}` : JSON.stringify(arg)));
    this.orders.push(`${what} ${words.join(' ')}`.trim());
  }
}

const TASK: TaskFacts = {
  id: 7,
  kind: 'drain',
  backend: 'emqx',
  server: 'emqx1',
  state: 'running',
  rate: 200,
  total: 3000,
  moved: 10,
  left: 2990,
  startedAtMs: NOW_MS,
  endedAtMs: null,
};

function isRef(value: unknown): value is ServerRef {
  if (typeof value !== 'object' || value === null) return false;
  return 'backend' in value && 'server' in value && Object.keys(value).length === 2;
}

function matches(entry: StickEntry, { server, state, ttlMsBelow, ttlMsAbove }: EntryFilter): boolean {
  const ttlMs = entry.ttlMs ?? Number.POSITIVE_INFINITY;
  if (server !== undefined && entry.server !== server) return false;
  if (state !== undefined && entry.state !== state) return false;
  return ttlMs <= (ttlMsBelow ?? Number.POSITIVE_INFINITY) && ttlMs >= (ttlMsAbove ?? 0);
}

function isMeant(session: SessionFacts, filter: SessionFilter): boolean {
  return Object.entries(filter).every(([name, value]) => session[name as keyof SessionFacts] === value);
}
