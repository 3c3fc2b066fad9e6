/** Connections and tables of the tests against a real Redis. */
import { expect } from 'vitest';
import type { StickTable, StickTimes } from '../src/contract.ts';
import { type GuardedTable, guardedTable } from '../src/guard.ts';
import { MemoryTable } from '../src/memory.ts';
import { localTable } from '../src/memory_local.ts';
import { connectRedis, type RedisConnection } from '../src/redis.ts';
import { redisTable, type SharedTable } from '../src/redis_table.ts';
import type { RedisTarget } from '../src/redis_target.ts';
import type { StateError } from '../src/state_error.ts';

let prefixes = 0;

/** A key space that no other test has. */
export function newPrefix(): string {
  return `limpet${++prefixes}`;
}

export interface OpenOptions {
  /** Of one server; else its target. */
  readonly url?: string;
  readonly target?: RedisTarget;
  readonly prefix?: string;
  readonly times?: StickTimes;
  /** Default 500: a busy machine is not an absent Redis. */
  readonly timeoutMs?: number;
  /** Shared with another worker of the same proxy; default: a table of its own. */
  readonly memory?: MemoryTable;
  readonly journalSize?: number;
}

export const times: StickTimes = { pendingMs: 20_000, expireMs: 60_000 };

/** One worker with its connection, its table in Redis, and its guard; `heard` is what the operator was told. */
export class Worker implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly connection: RedisConnection;
  readonly shared: SharedTable;
  readonly memory: MemoryTable;
  readonly local: StickTable;
  readonly table: GuardedTable;
  onBack: () => void = () => undefined;

  constructor(options: OpenOptions) {
    const tell = (what: string, reason: StateError): unknown => this.heard.push(`${what}: ${reason.message}`);
    this.connection = connectRedis({
      target: options.target ?? { kind: 'server', url: options.url ?? '' },
      prefix: options.prefix ?? newPrefix(),
      timeoutMs: options.timeoutMs ?? 500,
      name: 'limpet test',
      onAway: reason => tell('away', reason),
      onRefused: reason => tell('refused', reason),
      onBack: () => {
        this.heard.push('back');
        this.onBack();
      },
    });
    this.shared = redisTable(this.connection, 'emqx', options.times ?? times);
    this.memory = options.memory ?? new MemoryTable({ size: 10_000, times: options.times ?? times });
    this.local = localTable(this.memory);
    const { connection, shared, local } = this;
    this.table = guardedTable({ connection, shared, local, journalSize: options.journalSize ?? 10_000 });
  }

  /** Opens one that has reached Redis. */
  static async there(options: OpenOptions): Promise<Worker> {
    const worker = new Worker(options);
    expect(await worker.connection.circuit.firstContact).toBe(true);
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.table.close();
    await this.connection.close();
  }
}
