import type { MemoryTable, StickEntry, StickTimes } from '@limpet/state';
import type { RedisConfig } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import type { EntryFilter, EntryPage, ExportFormat, ImportReport, TableAdmin } from '../control.ts';
import { exportStream } from './export_stream.ts';
import { importStream } from './import_stream.ts';
import { memoryClear, memoryPage } from './memory_scan.ts';
import { RedisTables } from './redis_tables.ts';
import { tableKey } from './table_key.ts';
import type { RedisSource } from './task.ts';
import { type ThreadOptions, Threads } from './threads.ts';

/** A backend that has a stick table. */
export interface TableBackend {
  readonly name: string;
  /** In the order of the configuration: `server_id` counts from 1. */
  readonly servers: readonly string[];
  readonly times: StickTimes;
  /** The primary's: the table itself, or with Redis what this proxy has seen of the shared one. */
  readonly memory: MemoryTable;
}

export interface TableAdminOptions extends ThreadOptions {
  /** Where the tables are; null: in the memory of this process. */
  readonly redis: RedisConfig | null;
  /** Asked at each command, so a reload needs no word here. */
  readonly backends: () => readonly TableBackend[];
  /** Has the entries of this proxy's live sessions written again, or that of one key (null: all). */
  readonly renew?: (backend: string, key: string | null) => Promise<void>;
}

/** Whoever made it closes it. */
export interface ClosableTableAdmin extends TableAdmin {
  /** Threads that run now: none without commands that last. */
  readonly threads: number;
  /** Ends the threads, and all that they do. May be called twice. */
  close(): Promise<void>;
}

/** A count of a table in Redis is good for so long. */
const COUNT_MS = 10_000;

/**
 * The stick tables, for operators. What is short is done here, a millisecond in a turn of the event loop, and answered at
 * once; exports of more than some thousand entries, imports, and what looks through a large table in Redis go on in
 * threads, which begin with the first such command and end a while after the last. Keys are given as a table shows them,
 * or as the client's own value.
 */
export function createTableAdmin(options: TableAdminOptions): ClosableTableAdmin {
  return new Tables(options);
}

class Tables implements ClosableTableAdmin {
  readonly #redis: RedisConfig | null;
  readonly #backends: () => readonly TableBackend[];
  readonly #renew: NonNullable<TableAdminOptions['renew']>;
  readonly #threads: Threads;
  readonly #shared: RedisTables;
  readonly #counts = new Map<string, { readonly count: Promise<number>; readonly atMs: number }>();

  constructor({ redis, backends, renew, ...threads }: TableAdminOptions) {
    this.#redis = redis;
    this.#backends = backends;
    this.#renew = renew ?? (async () => {});
    this.#threads = new Threads(threads);
    this.#shared = new RedisTables(this.#threads);
  }

  get threads(): number {
    return this.#threads.count;
  }

  get names(): readonly string[] {
    return this.#backends().map(({ name }) => name);
  }

  walk(backend: string, format: ExportFormat, filter: EntryFilter): AsyncIterable<Buffer> {
    const { servers, times, memory } = this.#backend(backend);
    const source = this.#source(backend);
    const task = { kind: 'export', source, format, filter, servers, expireMs: times.expireMs } as const;
    return exportStream(this.#threads, task, source === null ? memory : null);
  }

  async page(backend: string, filter: EntryFilter, cursor: string | null, limit: number): Promise<EntryPage> {
    const { memory } = this.#backend(backend);
    const source = this.#source(backend);
    if (source === null) return await memoryPage(memory, filter, cursor, limit);
    return await this.#shared.page(source, filter, cursor, limit);
  }

  async get(backend: string, key: string): Promise<StickEntry | null> {
    const { memory } = this.#backend(backend);
    const source = this.#source(backend);
    if (source === null) return memory.peek(tableKey(key));
    return await this.#shared.get(source, tableKey(key));
  }

  async set(backend: string, text: string, server: string): Promise<void> {
    const { memory, servers } = this.#backend(backend);
    if (!servers.includes(server)) {
      const what = `backend ${backend} has no server ${JSON.stringify(server)}`;
      throw new LimpetError('UNKNOWN_SERVER', what, `There are: ${servers.join(', ')}.`);
    }
    const key = tableKey(text);
    const source = this.#source(backend);
    if (source !== null) await this.#shared.set(source, key, server);
    if (memory.set(key, server) === 'full' && source === null) {
      const remedy = 'Raise `stick.size`.';
      throw new LimpetError('TABLE_FULL', `all entries of table ${backend} are those of live sessions`, remedy);
    }
    await this.#renew(backend, key);
  }

  /** With Redis, this proxy forgets it too: it would write it again when its client comes. */
  async clearKey(backend: string, text: string): Promise<boolean> {
    const { memory } = this.#backend(backend);
    const key = tableKey(text);
    const source = this.#source(backend);
    const wasShared = source !== null && (await this.#shared.remove(source, key));
    const wasHere = memory.remove(key);
    await this.#renew(backend, key);
    return source === null ? wasHere : wasShared;
  }

  async clear(backend: string, filter: EntryFilter): Promise<number> {
    const { memory } = this.#backend(backend);
    const source = this.#source(backend);
    const shared = source === null ? null : await this.#shared.clear(source, filter);
    const here = await memoryClear(memory, filter);
    await this.#renew(backend, null);
    this.#counts.delete(backend);
    return shared ?? here;
  }

  async import(backend: string, format: 'json' | 'csv', lines: AsyncIterable<Buffer>): Promise<ImportReport> {
    const { memory, servers } = this.#backend(backend);
    const source = this.#source(backend);
    const task = { kind: 'import', source, format, servers } as const;
    // What is cooling under a live session, after a `set` perhaps, must not be taken for a client that has left.
    await this.#renew(backend, null);
    const report = await importStream(this.#threads, task, source === null ? memory : null, lines);
    this.#counts.delete(backend);
    return report;
  }

  async used(backend: string): Promise<number> {
    const { memory } = this.#backend(backend);
    const source = this.#source(backend);
    if (source === null) return memory.count;
    const known = this.#counts.get(backend);
    if (known !== undefined && performance.now() - known.atMs < COUNT_MS) return await known.count;
    const count = this.#shared.count(source);
    const counted = { count, atMs: performance.now() };
    this.#counts.set(backend, counted);
    // What failed is not remembered.
    count.catch(() => this.#counts.get(backend) === counted && this.#counts.delete(backend));
    return await count;
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }

  #backend(name: string): TableBackend {
    const backends = this.#backends();
    const backend = backends.find(one => one.name === name);
    if (backend !== undefined) return backend;
    const names = backends.map(one => one.name).join(', ');
    const remedy = names === '' ? 'Give a backend `stick`.' : `There are: ${names}.`;
    throw new LimpetError('NO_TABLE', `there is no stick table ${JSON.stringify(name)}`, remedy);
  }

  #source(name: string): RedisSource | null {
    return this.#redis === null ? null : { redis: this.#redis, backend: name, times: this.#backend(name).times };
  }
}
