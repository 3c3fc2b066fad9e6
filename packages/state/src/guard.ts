import type { Circuit } from './circuit.ts';
import type { ClaimAnswer, ClaimRequest, Pin, StickTable } from './contract.ts';
import { Journal } from './journal.ts';
import type { RedisConnection } from './redis.ts';
import type { SharedTable } from './redis_table.ts';
import { StateError } from './state_error.ts';
import { WriteBack } from './write_back.ts';

export interface GuardOptions {
  readonly connection: RedisConnection;
  /** The table in Redis, on that connection. */
  readonly shared: SharedTable;
  /** This proxy's own table, shared by its workers: it shadows what they confirm, and answers while Redis is away. */
  readonly local: StickTable;
  /** Decisions kept for Redis's return, at most. Default 100,000 (some 30 MB). */
  readonly journalSize?: number;
}

export interface GuardedTable extends StickTable {
  /** Decisions that wait for Redis, and how many were lost because too many did. */
  readonly unwritten: { readonly waiting: number; readonly dropped: number };
}

/**
 * The table that the proxy uses with Redis. It never rejects, and answers within the deadline of one call (P4).
 *
 * While the circuit of a key's server is closed Redis decides, and the local table hears what was confirmed. While it is open the local
 * table decides (`degraded`): recently seen clients go home; for any other the answer is `free`, and the caller offers
 * its rendezvous server as the candidate, which all proxies compute alike. What is decided then is written when Redis is
 * back. The caller renews its live sessions on `onBack`.
 *
 * The caller looks first (candidate null). If Redis then does not know the key, the answer is `free`, and the caller offers
 * the server that the local table holds it for, if any: a Redis that came back empty moves no client.
 */
export function guardedTable(options: GuardOptions): GuardedTable {
  return new Guard(options);
}

/** A claim, pending in Redis, that is never confirmed goes by itself: it need not be journaled. */
class Guard implements GuardedTable {
  readonly #connection: RedisConnection;
  readonly #shared: SharedTable;
  readonly #local: StickTable;
  readonly #journal: Journal;
  readonly #writeBack: WriteBack;
  readonly #leave: () => void;

  constructor({ connection, shared, local, journalSize }: GuardOptions) {
    this.#connection = connection;
    this.#shared = shared;
    this.#local = local;
    const journal = new Journal(journalSize ?? 100_000, key => shared.slotOf(key));
    const circuitAt = (slot: number): Circuit => connection.circuitAt(slot);
    this.#journal = journal;
    this.#writeBack = new WriteBack({ journal, shared, local, circuitAt, now: () => performance.now() });
    this.#leave = connection.register(this.#writeBack);
  }

  get unwritten(): { waiting: number; dropped: number } {
    return { waiting: this.#journal.size, dropped: this.#journal.dropped };
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    if (this.#journal.has(request.key)) {
      if (this.#circuitOf(request.key).isClosed) await this.#writeBack.writeNow(request.key);
      if (this.#journal.has(request.key)) return this.#claimLocally(request);
    }
    return (await this.#ask(request.key, () => this.#shared.claim(request))) ?? this.#claimLocally(request);
  }

  async confirm(pin: Pin): Promise<void> {
    await this.#local.confirm(pin);
    const isWritten = await this.#tell(pin.key, () => this.#shared.confirm(pin));
    if (isWritten) {
      this.#circuitOf(pin.key).written();
      this.#journal.settled(pin.key);
    } else {
      this.#journal.confirmed(pin);
      this.#writeBack.retryLater();
    }
  }

  async abandon(key: string, by: ClaimRequest['by'], displaced: string | null): Promise<void> {
    this.#journal.abandoned(key);
    await this.#local.abandon(key, by, displaced);
    await this.#tell(key, () => this.#shared.abandon(key, by, displaced));
  }

  async release(pin: Pin): Promise<void> {
    await this.#local.release(pin);
    const isWritten = !this.#journal.has(pin.key) && (await this.#tell(pin.key, () => this.#shared.release(pin)));
    if (isWritten) return;
    this.#journal.released(pin, performance.now());
    this.#writeBack.retryLater();
  }

  /** While Redis is away it keeps what it has: such a client may find its old home again. That costs a move, no stickiness. */
  async forget(pin: Pin): Promise<void> {
    this.#journal.settled(pin.key);
    await this.#local.forget(pin);
    await this.#tell(pin.key, () => this.#shared.forget(pin));
  }

  /** What waits in the journal is left to it: Redis may still name the server that such a session came from. */
  async renew(pins: readonly Pin[]): Promise<readonly string[]> {
    const there: Pin[] = [];
    const away: Pin[] = [];
    for (const pin of pins) {
      if (!this.#circuitOf(pin.key).isClosed) away.push(pin);
      else if (!this.#journal.has(pin.key)) there.push(pin);
    }
    const elsewhere = away.length === 0 ? [] : await this.#local.renew(away);
    return there.length === 0 ? elsewhere : [...elsewhere, ...(await this.#shared.renew(there))];
  }

  async get(key: string): ReturnType<StickTable['get']> {
    const answer = await this.#ask(key, async () => ({ entry: await this.#shared.get(key) }));
    return answer ? answer.entry : this.#local.get(key);
  }

  async close(): Promise<void> {
    this.#leave();
    this.#writeBack.close();
  }

  #circuitOf(key: string): Circuit {
    return this.#connection.circuitAt(this.#shared.slotOf(key));
  }

  /** What this proxy knew of the key is asked in the same breath, before the claim changes it. */
  async #claimLocally(request: ClaimRequest): Promise<ClaimAnswer> {
    const before = this.#local.get(request.key);
    const answer = await this.#local.claim(request);
    if (answer.kind === 'held' || answer.kind === 'claimed') {
      const entry = await before;
      this.#journal.claimed(request.key, request.by, entry);
    }
    return { ...answer, degraded: true };
  }

  async #tell(key: string, command: () => Promise<void>): Promise<boolean> {
    const told = await this.#ask(key, async () => {
      await command();
      return true;
    });
    return told ?? false;
  }

  /** Redis's answer, or null where it is not asked or fails; the circuit hears of both. */
  async #ask<T>(key: string, command: () => Promise<T>): Promise<T | null> {
    const circuit = this.#circuitOf(key);
    if (!circuit.isClosed) return null;
    try {
      const answer = await command();
      circuit.succeeded();
      return answer;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      circuit.failed(error);
      return null;
    }
  }
}
