/**
 * The contract of a stick table. One table belongs to one backend. Every adapter passes the same conformance suite
 * (`test/conformance.ts`).
 *
 * The life of an entry: `pending` (claimed at CONNECT, short TTL) → `pinned` (its client is connected; renewed, never
 * expires) → `cooling` (the `expire` clock runs since the client left) → gone.
 */

/** What may be said of an entry at one moment. */
export type EntryState = 'pending' | 'pinned' | 'cooling';

/**
 * Who writes an entry: `owner` is one worker of one proxy (`lb1/2`), `epoch` is that worker's number of the session.
 * The pair names one session for ever; an entry is changed back only by the session that it names.
 */
export interface Claimant {
  readonly owner: string;
  readonly epoch: number;
}

/** One key's place in the table, as an operator sees it. `ttlMs` is what is left; null while nothing counts down. */
export interface StickEntry extends Claimant {
  readonly key: string;
  readonly server: string;
  readonly state: EntryState;
  readonly ttlMs: number | null;
}

export interface ClaimRequest {
  /** Made by `stickKey()`: at most 128 bytes and printable. */
  readonly key: string;
  /** Names of the servers that this session may use: up, and not already tried by it without success. */
  readonly usable: readonly string[];
  /** The server to assign when no usable server holds the key. Null: only look (a table that has a scheduler of its
   * own behind it, as the primary's has, may assign all the same). */
  readonly candidate: string | null;
  readonly by: Claimant;
}

/**
 * - `held`: a usable server holds the key already. Nothing was changed but that the entry now lives at least as long as
 *   a pending one.
 * - `claimed`: the key was free, or its server not usable; it is now pending for the candidate. `displaced` is the
 *   server that held it before, if any: the one to give it back to. A pending claim, of whatever session, holds nothing
 *   that could be given back.
 * - `free`: nobody usable holds the key and no candidate was given. Nothing was written.
 * - `full`: the table holds `size` entries and all are pinned or pending. Nothing was written; the client can be served
 *   on the candidate, without stickiness.
 *
 * `degraded`: the shared table could not be asked; this is the local answer.
 */
export type ClaimAnswer = { readonly degraded: boolean } & (
  | { readonly kind: 'held'; readonly server: string }
  | { readonly kind: 'claimed'; readonly server: string; readonly displaced: string | null }
  | { readonly kind: 'free'; readonly displaced: string | null }
  | { readonly kind: 'full' }
);

/** A live session's word that its entry must stay. */
export interface Pin {
  readonly key: string;
  readonly server: string;
  readonly by: Claimant;
}

/**
 * A stick table. All methods answer within the adapter's own deadline; only the raw Redis adapter may reject (with a
 * StateError), the guarded table that the proxy uses never does. Whoever made the table closes it, once, after its
 * last session.
 */
export interface StickTable {
  /** Finds the key's server, or assigns the candidate, atomically: two sessions of one key get one answer. */
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /** The server accepted the client: the entry becomes pinned to it, whatever stood there before. */
  confirm(pin: Pin): Promise<void>;
  /** The claim led to nothing: removes the entry if it is still this session's pending claim, or gives it back to the
   * displaced server. Never touches an entry that anybody else has written since, and never a confirmed one. */
  abandon(key: string, by: Claimant, displaced: string | null): Promise<void>;
  /** The client left: the entry starts cooling, if it still names this session. */
  release(pin: Pin): Promise<void>;
  /** The session is asked to leave its server for another one: removes its entry, if the entry still names that session.
   * Its client is placed anew when it comes back. A session that forgot its pin renews and releases it no more. */
  forget(pin: Pin): Promise<void>;
  /** Keeps the entries of live sessions pinned. An entry that has vanished is written again; one that is cooling, or
   * pending, for the same server is pinned again; one that names another server is left alone, and its key is answered:
   * that session has a successor elsewhere and need not be renewed any more. A pending claim of another server is left
   * alone too, but its key is not answered: it may yet be abandoned. */
  renew(pins: readonly Pin[]): Promise<readonly string[]>;
  /** The entry of a key, or null. */
  get(key: string): Promise<StickEntry | null>;
  /** Lets go of timers and connections. May be called twice. */
  close(): Promise<void>;
}

/** The times of a table, in milliseconds. */
export interface StickTimes {
  /** How long a claim waits for its CONNACK. Longer than connect and connack deadlines together. */
  readonly pendingMs: number;
  /** How long an entry outlives its client (`stick.expire`). */
  readonly expireMs: number;
}
