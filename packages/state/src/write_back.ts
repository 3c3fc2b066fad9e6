import type { Circuit, ReturnTask } from './circuit.ts';
import type { StickTable } from './contract.ts';
import { type Journal, type JournalRecord, withClaimant } from './journal.ts';
import type { Adoption, SharedTable } from './redis_table.ts';
import { StateError } from './state_error.ts';

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
  readonly #circuit: Circuit;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #fullUntilMs = 0;
  #isClosed = false;

  constructor(parts: {
    journal: Journal;
    shared: SharedTable;
    local: StickTable;
    circuit: Circuit;
    now: () => number;
  }) {
    this.#journal = parts.journal;
    this.#shared = parts.shared;
    this.#local = parts.local;
    this.#circuit = parts.circuit;
    this.#now = parts.now;
  }

  /** A full Redis reads as well as ever, so its records do not hold up the return. */
  get size(): number {
    return this.#now() < this.#fullUntilMs ? 0 : this.#journal.size;
  }

  /** Writes until nothing is left or Redis fails. */
  async drain(): Promise<void> {
    while (!this.#isClosed && this.size > 0) {
      if (!(await this.#write(this.#journal.oldest(batchSize)))) break;
      if (this.size > 0) await pause(pauseMs);
    }
    if (this.#journal.size > 0) this.retryLater();
  }

  /** Writes one key before anything else is asked about it. */
  async writeNow(key: string): Promise<void> {
    const record = this.#journal.get(key);
    if (record) await this.#write([record]);
  }

  /** Tries again in a while, if the circuit is closed then; an open one drains when it returns. */
  retryLater(): void {
    if (this.#timer || this.#isClosed) return;
    const waitMs = Math.max(retryMs, this.#fullUntilMs - this.#now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#circuit.isClosed) void this.drain();
    }, waitMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #write(records: readonly JournalRecord[]): Promise<boolean> {
    const adoptions = await Promise.all(records.map(record => this.#adoption(record)));
    try {
      await this.#shared.adopt(adoptions.filter(adoption => adoption !== null));
      this.#circuit.written();
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      if (error.code === 'REDIS_FULL') this.#fullUntilMs = this.#now() + fullRetryMs;
      this.#circuit.failed(error);
      return false;
    }
    for (const record of records) this.#journal.written(record);
    return true;
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
