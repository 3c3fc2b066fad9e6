import type { AdminState, StickEntry } from '@limpet/state';
import type { ConnectError, SessionFacts, SessionFilter } from '../account/session_facts.ts';
import type { HistoryFacts } from './history.ts';
import type { Snapshot, TaskFacts } from './snapshot.ts';

/** May it: `user` looks (no client's data), `operator` also sees clients and operates servers, `admin` may do everything. */
export type { AdminLevel } from '../config/resolved.ts';

/** `backend/server`. */
export interface ServerRef {
  readonly backend: string;
  readonly server: string;
}

/** Something that happened, for the page and the API; the log tells the same. */
export interface AdminEvent {
  readonly id: number;
  readonly atMs: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly message: string;
}

/** What a reload did, or why it did nothing. */
export interface ReloadReport {
  readonly ok: boolean;
  /** One line a change that was made: `server emqx/emqx4 added`. */
  readonly changes: readonly string[];
  /** What is different in the file, cannot change in place, and stayed as it was, with what to do. */
  readonly needsRestart: readonly string[];
  /** Of the file: `file:line:column: …`, formatted as `limpet check` prints them. Problems only where not ok. */
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

export interface DrainRequest extends ServerRef {
  /** Sessions a second; null: none is asked to leave, the server only gets no more. */
  readonly rate: number | null;
  /** Stops when so many sessions are left. */
  readonly until: number;
  /** What MQTT 5.0 clients are told: 0x9C (use another server) or 0x98 (administrative action). */
  readonly reason: 0x9c | 0x98;
}

export interface RebalanceRequest {
  readonly backend: string;
  readonly rate: number;
  /** A server may have so much more than its share, as a part of its share: 0.05. */
  readonly threshold: number;
  readonly reason: 0x9c | 0x98;
}

/** Where a client is, and why. */
export interface ClientFacts {
  readonly clientId: string;
  /** Its live sessions: one, or several where brokers take over just now. */
  readonly sessions: readonly SessionFacts[];
  /** Its entries, where a backend sticks on the client id. */
  readonly entries: readonly (StickEntry & { readonly backend: string })[];
}

/** Filters of `show table … data.KEY OPERATOR VALUE`, and of the API. All that are given must hold. */
export interface EntryFilter {
  readonly server?: string;
  readonly state?: StickEntry['state'];
  /** Milliseconds of what is left, inclusive; entries of live sessions count as having all. */
  readonly ttlMsBelow?: number;
  readonly ttlMsAbove?: number;
  /** A part of the key. */
  readonly keyContains?: string;
}

export type ExportFormat = 'haproxy' | 'json' | 'csv';

export interface ImportReport {
  readonly read: number;
  readonly written: number;
  /** Entries of live sessions are never overwritten. */
  readonly kept: number;
  /** `line N: what is wrong`, the first 100. */
  readonly errors: readonly string[];
}

/** The stick tables, for operators. Whole tables are walked outside of every event loop that serves clients. */
export interface TableAdmin {
  /** Backends that have one. */
  readonly names: readonly string[];
  /**
   * The whole table in the order in which it is found, in chunks of text ready to be sent: back-pressure is the iterator's.
   * Ends early when the consumer returns. `haproxy` has no header line (`tableHeader()` makes it).
   * @throws LimpetError NO_TABLE, STATE_*
   */
  walk(backend: string, format: ExportFormat, filter: EntryFilter): AsyncIterable<Buffer>;
  /** A page for the API: entries, and the cursor of the next page; null: that was the last. */
  page(backend: string, filter: EntryFilter, cursor: string | null, limit: number): Promise<EntryPage>;
  get(backend: string, key: string): Promise<StickEntry | null>;
  /** Sets a key's home by hand: it cools from now on as if its client had just left, unless that is there now. @throws LimpetError UNKNOWN_SERVER */
  set(backend: string, key: string, server: string): Promise<void>;
  /** Removes one entry; false: there was none. That of a client that is connected here is there again then. */
  clearKey(backend: string, key: string): Promise<boolean>;
  /**
   * Removes those that match and answers how many. Those of clients that are connected here are there again then; those of
   * other proxies' clients with their next renewal.
   */
  clear(backend: string, filter: EntryFilter): Promise<number>;
  import(backend: string, format: 'json' | 'csv', lines: AsyncIterable<Buffer>): Promise<ImportReport>;
  /** Entries now. Redis: counted by a walk, at most every 10 s. */
  used(backend: string): Promise<number>;
}

export interface EntryPage {
  readonly entries: readonly StickEntry[];
  readonly next: string | null;
}

/** What `add server` and `set server … addr` may say. */
export interface NewServer {
  readonly address: string;
  readonly weight?: number;
  readonly maxconn?: number;
  readonly backup?: boolean;
  /** Without: as the first server of the backend is checked. */
  readonly check?: boolean;
}

/** Who gives the order, for the log: `runtime_api unix`, `http admin@127.0.0.1`. Never a secret. */
export type By = string;

/**
 * The running proxy, as its faces use it. Implemented in the primary. Everything that can be refused rejects with a
 * LimpetError (UNKNOWN_SERVER, UNKNOWN_BACKEND, UNKNOWN_FRONTEND, NO_TABLE, BAD_VALUE, …) and then nothing has changed.
 */
export interface Control {
  snapshot(): Snapshot;
  /** The last hour. */
  history(): HistoryFacts;
  /** Those after that id, oldest first, at most the last 1,000. */
  events(afterId: number): readonly AdminEvent[];
  /** Called at every event; answers how to stop. */
  onEvent(listener: (event: AdminEvent) => void): () => void;
  readonly table: TableAdmin;

  /** Answers when it holds in this proxy; the store is written beside. */
  setServerState(server: ServerRef, state: AdminState, by: By): Promise<void>;
  /** 0 to 256; null: as configured. */
  setServerWeight(server: ServerRef, weight: number | null, by: By): Promise<void>;
  setServerAddress(server: ServerRef, host: string, port: number | null, by: By): Promise<void>;
  setServerMaxconn(server: ServerRef, maxconn: number | null, by: By): Promise<void>;
  /** Forces the verdict until the next check says otherwise (HAProxy: `set server … health`). */
  setServerHealth(server: ServerRef, verdict: 'up' | 'down', by: By): Promise<void>;
  /** `enable|disable health`: while off, the verdict stays as it is. */
  setServerChecks(server: ServerRef, enabled: boolean, by: By): Promise<void>;
  addServer(server: ServerRef, what: NewServer, by: By): Promise<void>;
  /** @throws LimpetError SERVER_NOT_IN_MAINT, SERVER_IN_USE (it has sessions) */
  delServer(server: ServerRef, by: By): Promise<void>;
  setFrontendEnabled(frontend: string, enabled: boolean, by: By): Promise<void>;
  setFrontendMaxconn(frontend: string, maxconn: number | null, by: By): Promise<void>;
  setFrontendConnRate(frontend: string, rate: number | null, by: By): Promise<void>;
  setGlobalMaxconn(maxconn: number, by: By): Promise<void>;

  /** Sets the server to `drain` and begins to empty it; a second one for the same server replaces the first. */
  drain(request: DrainRequest, by: By): Promise<TaskFacts>;
  rebalance(request: RebalanceRequest, by: By): Promise<TaskFacts>;
  pauseTask(id: number, by: By): Promise<TaskFacts>;
  resumeTask(id: number, by: By): Promise<TaskFacts>;
  /** Taken back: nobody more is asked to leave; a drained server becomes `ready` again. */
  cancelTask(id: number, by: By): Promise<TaskFacts>;

  /** Asks all workers; at most `limit`, in no order. A worker that does not answer within 2 s is left out. */
  sessions(filter: SessionFilter, limit: number): Promise<readonly SessionFacts[]>;
  /** Ends those that match; answers how many. */
  endSessions(filter: SessionFilter, by: By): Promise<number>;
  client(clientId: string): Promise<ClientFacts>;
  errors(): readonly ConnectError[];

  reload(by: By): Promise<ReloadReport>;
}
