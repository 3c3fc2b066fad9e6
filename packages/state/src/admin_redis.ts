import type { AdminRecord, AdminStore, ServerWord } from './admin.ts';
import { AdminBoard } from './admin_board.ts';
import { decodeAdmin, encodeAdmin } from './admin_value.ts';
import type { RedisConnection } from './redis.ts';
import type { KeyCommand } from './redis_batch.ts';
import { StateError } from './state_error.ts';

export interface RedisAdminOptions {
  /** How often Redis is asked what others have written. Default 500. */
  readonly pollMs?: number;
  /** Somebody wrote words that mean nothing, or a key that is no hash. Told once for each text. */
  readonly onUnknown?: (backend: string, server: string, what: string) => void;
}

/** A word that Redis has not been told. */
interface Unwritten extends ServerWord {
  /** Null: nothing is to be remembered. */
  readonly value: string | null;
}

/**
 * The admin state in Redis: `<prefix>:admin:<backend>`, a hash of server → `drain`, `ready weight=5`, … that redis-cli may
 * write as well. Asked every `pollMs`, all backends in one batch; while Redis is away the last known state holds.
 * `close` ends the asking; the connection belongs to its maker.
 */
export function redisAdminStore(
  connection: RedisConnection,
  backends: readonly string[],
  options: RedisAdminOptions = {},
): AdminStore {
  return new RedisAdmin(connection, backends, options);
}

class RedisAdmin implements AdminStore {
  readonly #connection: RedisConnection;
  readonly #pollMs: number;
  readonly #onUnknown: (backend: string, server: string, what: string) => void;
  readonly #board = new AdminBoard();
  readonly #loaded: Promise<void>;
  #backends: readonly string[];
  /** `backend\0server` → the last word; those of other backends than there are now too. */
  readonly #unwritten = new Map<string, Unwritten>();
  /** Backends of which Redis has been read. */
  readonly #known = new Set<string>();
  /** `backend\0server` → the text that was told of. */
  readonly #told = new Map<string, string>();
  /** What is being said to Redis now, and whether somebody wants it said again behind that. */
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(connection: RedisConnection, backends: readonly string[], options: RedisAdminOptions) {
    this.#connection = connection;
    this.#backends = backends;
    this.#pollMs = options.pollMs ?? 500;
    this.#onUnknown = options.onUnknown ?? (() => {});
    this.#loaded = this.#begin();
  }

  loaded(): Promise<void> {
    return this.#loaded;
  }

  records(backend: string): ReadonlyMap<string, AdminRecord> {
    return this.#board.records(backend);
  }

  async set(backend: string, server: string, record: AdminRecord): Promise<void> {
    this.#unwritten.set(`${backend}\0${server}`, { backend, server, record, value: encodeAdmin(record) });
    this.#board.put(backend, server, record);
    // One that runs already may have sent its commands: this word goes with the next one.
    await this.#running;
    await this.#sync();
  }

  assume(backend: string, server: string, record: AdminRecord): void {
    if (!this.#known.has(backend)) this.#board.put(backend, server, record);
  }

  unwritten(): readonly ServerWord[] {
    return [...this.#unwritten.values()].map(({ backend, server, record }) => ({ backend, server, record }));
  }

  leaveUnwritten(): void {
    this.#unwritten.clear();
  }

  onChange(listener: (backend: string) => void): void {
    this.#board.onChange(listener);
  }

  setBackends(backends: readonly string[]): void {
    this.#backends = backends;
  }

  async learn(backends: readonly string[]): Promise<void> {
    const { circuit, timeoutMs } = this.#connection;
    const unknown = backends.filter(backend => !this.#backends.includes(backend));
    if (unknown.length === 0 || !circuit.isClosed) return;
    const replies = await this.#connection.batch(
      unknown.map(backend => ['hgetall', this.#key(backend)]),
      timeoutMs,
    );
    for (const [i, backend] of unknown.entries()) this.#read(backend, replies[i]);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
    if (this.#unwritten.size > 0) await this.#sync();
  }

  async #begin(): Promise<void> {
    await this.#connection.circuit.firstContact;
    await this.#poll();
  }

  async #poll(): Promise<void> {
    await this.#sync();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#poll(), this.#pollMs).unref();
  }

  /** Says what is unwritten, then asks: one at a time, and all who come meanwhile wait for the same. Never rejects. */
  #sync(): Promise<void> {
    this.#running ??= this.#exchange().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #exchange(): Promise<void> {
    if (!this.#connection.circuit.isClosed) return;
    const words = [...this.#unwritten];
    const backends = this.#backends;
    const replies = await this.#connection.batch([
      ...words.map(([, { backend, server, value }]): KeyCommand => {
        const key = this.#key(backend);
        return value === null ? ['hdel', key, server] : ['hset', key, server, value];
      }),
      ...backends.map((backend): KeyCommand => ['hgetall', this.#key(backend)]),
    ]);
    for (const [i, [name, word]] of words.entries()) this.#written(name, word, replies[i]);
    for (const [i, backend] of backends.entries()) this.#read(backend, replies[words.length + i]);
  }

  /** A Redis that is full, away, or refuses otherwise, is told again. A key that is no hash never will take it. */
  #written(name: string, word: Unwritten, reply: unknown): void {
    if (reply instanceof StateError && reply.code !== 'REDIS_ENTRY') return;
    const { slotOf, circuitAt } = this.#connection;
    if (!(reply instanceof StateError)) circuitAt(slotOf(this.#key(word.backend))).written();
    if (this.#unwritten.get(name) === word) this.#unwritten.delete(name);
  }

  #read(backend: string, reply: unknown): void {
    if (reply instanceof StateError) {
      if (reply.code === 'REDIS_ENTRY') this.#tell(backend, '', reply.message);
      return;
    }
    const records = new Map<string, AdminRecord>();
    for (const [server, value] of Object.entries(reply as Record<string, string>)) {
      const { record, unknown } = decodeAdmin(value);
      if (unknown.length > 0) this.#tell(backend, server, unknown.join(' '));
      else this.#told.delete(`${backend}\0${server}`);
      if (encodeAdmin(record) !== null) records.set(server, record);
    }
    // What was said here since the commands went out is newer than their answers.
    for (const word of this.#unwritten.values()) {
      if (word.backend !== backend) continue;
      if (word.value === null) records.delete(word.server);
      else records.set(word.server, word.record);
    }
    this.#known.add(backend);
    this.#board.replace(backend, records);
  }

  #tell(backend: string, server: string, what: string): void {
    const name = `${backend}\0${server}`;
    if (this.#told.get(name) === what) return;
    this.#told.set(name, what);
    this.#onUnknown(backend, server, what);
  }

  #key(backend: string): string {
    return `${this.#connection.prefix}:admin:${backend}`;
  }
}
