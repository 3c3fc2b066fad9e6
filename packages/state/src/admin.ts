/**
 * What operators have said of servers, as it is remembered: `<prefix>:admin:<backend>`, a hash of server → `drain`, or
 * `ready weight=5`. It outlives restarts where the store does, and other proxies read it.
 *
 * Of one server the last word counts, whoever wrote it. A word that was given here while Redis was away is written when
 * it is back, over what others may have said meanwhile: nobody can tell which of the two came later.
 */

/**
 * - `ready`: as the checks say.
 * - `drain`: no new clients, and returning ones are moved to another server. Sessions that are there stay.
 * - `drain_new`: no new clients; returning ones are still let in (HAProxy's `drain`).
 * - `maint`: nobody, no checks, and its sessions are ended.
 */
export type AdminState = 'ready' | 'drain' | 'drain_new' | 'maint';

/** What an operator has said of one server. */
export interface AdminRecord {
  readonly state: AdminState;
  /** 0 to 256; null: as configured. */
  readonly weight: number | null;
}

/** A server nobody has said anything of. */
export const NO_RECORD: AdminRecord = { state: 'ready', weight: null };

/** What an operator has said of one server, and where. */
export interface ServerWord {
  readonly backend: string;
  readonly server: string;
  readonly record: AdminRecord;
}

/**
 * The admin state of all backends. The one in memory lives as long as its process; the one in Redis is shared by all
 * proxies. Whoever made it closes it.
 */
export interface AdminStore {
  /** Resolves when what the store holds is known here, or the store turns out to be away. To be awaited before serving. */
  loaded(): Promise<void>;
  /** What is known now, without waiting: server → record; those nobody has spoken of are absent. */
  records(backend: string): ReadonlyMap<string, AdminRecord>;
  /**
   * Takes the record over here at once, and writes it. Resolves when it is written; where Redis is away, resolves all the
   * same: it is written when Redis is back.
   */
  set(backend: string, server: string, record: AdminRecord): Promise<void>;
  /**
   * What the process before this one knew of a server: holds here until the store has been read, and is not written. Of no
   * effect after that.
   */
  assume(backend: string, server: string, record: AdminRecord): void;
  /** What was said here and the store has not been told, for it is away. To be handed on to a process that takes over. */
  unwritten(): readonly ServerWord[];
  /** Another process writes them from now on: two that wrote the same word might write it over a newer one. */
  leaveUnwritten(): void;
  /** Called when records of a backend have become others, by set() or by another proxy. */
  onChange(listener: (backend: string) => void): void;
  /** The backends that there are now, after a reload. What was said of one that has gone holds again if it comes back. */
  setBackends(backends: readonly string[]): void;
  /**
   * Reads what the store holds of backends that are about to come. Resolves when it is known, or after the store's deadline:
   * then it is known some time after setBackends().
   */
  learn(backends: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
