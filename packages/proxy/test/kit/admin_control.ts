/** Our own Control interface without a proxy behind it: it answers plain facts, and notes what it was told to do. */
import type { StickEntry } from '@limpet/state';
import type { ConnectError, SessionFacts } from '../../src/account/session_facts.ts';
import type { AdminEvent, Control, EntryFilter, TableAdmin } from '../../src/admin/control.ts';
import type { Snapshot } from '../../src/admin/snapshot.ts';
import { LimpetError } from '../../src/errors.ts';
import { HISTORY, snapshotFacts, TASK } from './admin_facts.ts';

const ENTRY: StickEntry = {
  ...{ key: 'subscriber1', server: 'emqx1', state: 'cooling', ttlMs: 1_793_903, owner: 'lb1/1', epoch: 17 },
};

const SESSION: SessionFacts = {
  ...{ worker: 'lb1/1', id: 17, frontend: 'mqtt', bind: '*:1883', client: '192.0.2.7:4711', clientId: 'subscriber1' },
  ...{ username: null, version: '5.0', tls: null, websocket: false, stage: 'relay', backend: 'emqx', server: 'emqx1' },
  ...{ how: 'sticky', retries: 0, acceptedAtMs: 1_800_000_000_000, linkedAtMs: 1_800_000_000_020 },
  ...{ bytesIn: 120, bytesOut: 80, keepAliveS: 60 },
};

const ERROR: ConnectError = {
  ...{ atMs: 1_800_000_000_000, worker: 'lb1/1', session: 3, frontend: 'mqtt', bind: '*:1883' },
  ...{ client: '192.0.2.9:1', reason: 'bad_connect', detail: 'protocol name', length: 14, head: '100c00' },
};

const EVENTS: readonly AdminEvent[] = [
  { id: 1, atMs: 1_800_000_000_000, level: 'warn', event: 'server_down', message: 'server emqx/emqx1 is DOWN' },
  { id: 2, atMs: 1_800_000_000_001, level: 'info', event: 'admin', message: 'shutdown of subscriber1 (http ann@::1)' },
];

export class FakeControl implements Control {
  /** What was ordered, in its order: `setServerState {"backend":…} "drain" "http admin@127.0.0.1"`. */
  readonly orders: string[] = [];
  facts: Snapshot = snapshotFacts();
  /** Chunks that a walk answers. */
  chunks: readonly string[] = ['{"key":"a"}\n', '{"key":"b"}\n'];
  /** Chunks that walks were asked for, and walks that ended early or late. */
  walked = 0;
  walksEnded = 0;
  readonly #listeners = new Set<(event: AdminEvent) => void>();

  snapshot(): Snapshot {
    return this.facts;
  }
  history = (): typeof HISTORY => HISTORY;
  events = (afterId: number): readonly AdminEvent[] => EVENTS.filter(({ id }) => id > afterId);
  onEvent(listener: (event: AdminEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  emit(event: AdminEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  readonly table: TableAdmin = {
    names: ['emqx'],
    walk: (backend, format, filter) => {
      this.#order('walk', backend, format, filter);
      return this.#walk();
    },
    page: async (backend: string, filter: EntryFilter, cursor: string | null, limit: number) => {
      this.#order('page', backend, filter, cursor, limit);
      if (backend !== 'emqx') throw new LimpetError('NO_TABLE', `${backend} has no stick table`, 'Give it `stick`.');
      return { entries: [ENTRY, { ...ENTRY, key: 'Ünï <img>', state: 'pinned', ttlMs: null }], next: 'abc' };
    },
    get: async (_backend, key) => (key === ENTRY.key ? ENTRY : null),
    set: async (...said) => this.#order('set', ...said),
    clearKey: async (backend, key) => {
      this.#order('clearKey', backend, key);
      return key === ENTRY.key;
    },
    clear: async (...said) => {
      this.#order('clear', ...said);
      return 2;
    },
    import: async (backend, format, lines) => {
      let bytes = 0;
      for await (const chunk of lines) bytes += chunk.length;
      this.#order('import', backend, format, bytes);
      return { read: bytes, written: 1, kept: 0, errors: ['line 2: no key'] };
    },
    used: async () => 12,
  };

  setServerState = async (...said: unknown[]): Promise<void> => this.#order('setServerState', ...said);
  setServerWeight = async (...said: unknown[]): Promise<void> => this.#order('setServerWeight', ...said);
  setServerAddress = async (...said: unknown[]): Promise<void> => this.#order('setServerAddress', ...said);
  setServerMaxconn = async (...said: unknown[]): Promise<void> => this.#order('setServerMaxconn', ...said);
  setServerHealth = async (...said: unknown[]): Promise<void> => this.#order('setServerHealth', ...said);
  setServerChecks = async (...said: unknown[]): Promise<void> => this.#order('setServerChecks', ...said);
  addServer = async (...said: unknown[]): Promise<void> => this.#order('addServer', ...said);
  async delServer(...said: unknown[]): Promise<void> {
    this.#order('delServer', ...said);
    throw new LimpetError('SERVER_NOT_IN_MAINT', 'the server serves', 'Put it in maint first.');
  }
  setFrontendEnabled = async (...said: unknown[]): Promise<void> => this.#order('setFrontendEnabled', ...said);
  setFrontendMaxconn = async (...said: unknown[]): Promise<void> => this.#order('setFrontendMaxconn', ...said);
  setFrontendConnRate = async (...said: unknown[]): Promise<void> => this.#order('setFrontendConnRate', ...said);
  setGlobalMaxconn = async (...said: unknown[]): Promise<void> => this.#order('setGlobalMaxconn', ...said);
  drain = async (...said: unknown[]): Promise<typeof TASK> => this.#task('drain', said);
  rebalance = async (...said: unknown[]): Promise<typeof TASK> => this.#task('rebalance', said);
  pauseTask = async (...said: unknown[]): Promise<typeof TASK> => this.#task('pauseTask', said);
  resumeTask = async (...said: unknown[]): Promise<typeof TASK> => this.#task('resumeTask', said);
  cancelTask = async (...said: unknown[]): Promise<typeof TASK> => this.#task('cancelTask', said);
  async sessions(...said: unknown[]): Promise<readonly SessionFacts[]> {
    this.#order('sessions', ...said);
    return [SESSION];
  }
  async endSessions(...said: unknown[]): Promise<number> {
    this.#order('endSessions', ...said);
    return 1;
  }
  client: Control['client'] = async clientId => {
    if (clientId === 'trouble') throw new Error('secret');
    return { clientId, sessions: [{ ...SESSION, clientId }], entries: [{ backend: 'emqx', ...ENTRY, key: clientId }] };
  };
  errors = (): readonly ConnectError[] => [ERROR];
  reload: Control['reload'] = async by => {
    this.#order('reload', by);
    return { ok: true, changes: ['server emqx/emqx3 added'], needsRestart: [], warnings: [], problems: [] };
  };

  #task(name: string, said: readonly unknown[]): typeof TASK {
    this.#order(name, ...said);
    return TASK;
  }

  #order(name: string, ...said: readonly unknown[]): void {
    this.orders.push([name, ...said.map(value => JSON.stringify(value))].join(' '));
  }

  async *#walk(): AsyncIterable<Buffer> {
    try {
      for (const chunk of this.chunks) {
        this.walked += 1;
        yield Buffer.from(chunk);
      }
    } finally {
      this.walksEnded += 1;
    }
  }
}
