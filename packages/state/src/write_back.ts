import type { Circuit, ReturnTask } from './circuit.ts';
import type { StickTable } from './contract.ts';
import { type Journal, type JournalRecord, type OfSlot, withClaimant } from './journal.ts';
import type { Adoption, SharedTable } from './redis_table.ts';

/** Records in one batch, and the pause behind it: Redis has others to serve, and so has this process. */
const batchSize = 128;
const pauseMs = 4;
/** How long a record waits whose write failed while the circuit stayed closed. */
const retryMs = 1000;
/** How long a full Redis is left alone. */
const fullRetryMs = 2000;

/**
 * Brings a journal to Redis. What it writes of a key is what the local table says *now*, where it says anything: that table
 * is shared by all workers of this proxy, so whichever of them writes, all write the same.
 */
export class WriteBack implements ReturnTask {
  readonly #journal: Journal;
  readonly #shared: SharedTable;
  readonly #local: StickTable;
  readonly #circuitAt: (slot: number) => Circuit;
  readonly #now: () => number;
  /** Servers that are full, and until when they are left alone. */
  readonly #fullUntilMs = new WeakMap<Circuit, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: {
    journal: Journal;
    shared: SharedTable;
    local: StickTable;
    circuitAt: (slot: number) => Circuit;
    now: () => number;
  }) {
    this.#journal = parts.journal;
    this.#shared = parts.shared;
    this.#local = parts.local;
    this.#circuitAt = parts.circuitAt;
    this.#now = parts.now;
  }

  /** 1: there are some. A full Redis reads as well as ever, so its records do not hold up the return. */
  size(circuit: Circuit): number {
    const nowMs = this.#now();
    return !this.#isFull(circuit, nowMs) && this.#journal.hasOf(slot => this.#circuitAt(slot) === circuit) ? 1 : 0;
  }

  /** Writes until nothing is left for that server or it fails. */
  async drain(circuit: Circuit): Promise<void> {
    await this.#writeAll(slot => this.#circuitAt(slot) === circuit);
  }

  /** Writes one key before anything else is asked about it. */
  async writeNow(key: string): Promise<void> {
    const record = this.#journal.get(key);
    if (record) await this.#write([record]);
  }

  /** Tries again in a while, where the circuit is closed then; an open one drains when it returns. */
  retryLater(): void {
    if (this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#writeAll(slot => this.#circuitAt(slot).isClosed);
    }, retryMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #writeAll(isWanted: OfSlot): Promise<void> {
    for (;;) {
      const nowMs = this.#now();
      const isWritable: OfSlot = slot => isWanted(slot) && !this.#isFull(this.#circuitAt(slot), nowMs);
      const records = this.#isClosed ? [] : this.#journal.oldest(batchSize, isWritable);
      if (records.length === 0 || !(await this.#write(records))) break;
      await pause(pauseMs);
    }
    if (this.#journal.size > 0) this.retryLater();
  }

  #isFull(circuit: Circuit, nowMs: number): boolean {
    return nowMs < (this.#fullUntilMs.get(circuit) ?? 0);
  }

  /** False: a server has failed. */
  async #write(records: readonly JournalRecord[]): Promise<boolean> {
    const found = await Promise.all(records.map(record => this.#adoption(record)));
    const adoptions = found.filter(adoption => adoption !== null);
    const results = await this.#shared.adopt(adoptions);
    let next = 0;
    let isThere = true;
    for (const [i, record] of records.entries()) {
      const result = found[i] === null ? 'kept' : (results[next++] ?? 'away');
      const circuit = this.#circuitAt(record.slot);
      if (result === 'away') isThere = false;
      else if (result === 'full') this.#fullUntilMs.set(circuit, this.#now() + fullRetryMs);
      else this.#journal.written(record);
      if (result === 'written') circuit.written();
    }
    return isThere;
  }

  /** Null: nothing is left of it. */
  async #adoption(record: JournalRecord): Promise<Adoption | null> {
    const { key, known } = record;
    const entry = await this.#local.get(key);
    if (entry && entry.state !== 'pending') {
      const by = { owner: entry.owner, epoch: entry.epoch };
      const ttlMs = entry.ttlMs ?? 0;
      return { key, server: entry.server, by, state: entry.state, ttlMs, known: withClaimant(known, by) };
    }
    const { server, by, state, leftAtMs } = record;
    const ttlMs = state === 'pinned' ? 0 : leftAtMs + this.#shared.times.expireMs - this.#now();
    return state === 'cooling' && ttlMs <= 0 ? null : { key, server, by, state, ttlMs, known };
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise<void>(resolve => void setTimeout(resolve, ms).unref());
}
