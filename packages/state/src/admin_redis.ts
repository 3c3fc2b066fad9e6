import type { ChainableCommander } from 'ioredis';
import type { AdminRecord, AdminStore, ServerWord } from './admin.ts';
import { AdminBoard } from './admin_board.ts';
import { decodeAdmin, encodeAdmin } from './admin_value.ts';
import type { RedisConnection } from './redis.ts';
import { redisFailure } from './redis_failure.ts';

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

/** A poll is nobody's wait, and reads many keys. */
const deadlines = 5;

/**
 * The admin state in Redis: `<prefix>:admin:<backend>`, a hash of server → `drain`, `ready weight=5`, … that redis-cli may
 * write as well. Asked every `pollMs`, all backends in one pipeline; while Redis is away the last known state holds.
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
    const { circuit, client, timeoutMs } = this.#connection;
    const unknown = backends.filter(backend => !this.#backends.includes(backend));
    if (unknown.length === 0 || !circuit.isClosed) return;
    const pipeline = client.pipeline();
    for (const backend of unknown) pipeline.hgetall(this.#key(backend));
    const replies = await this.#replies(pipeline, timeoutMs);
    for (const [i, backend] of unknown.entries()) if (replies?.[i] !== undefined) this.#read(backend, replies[i]);
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
    const { circuit, client } = this.#connection;
    if (!circuit.isClosed) return;
    const words = [...this.#unwritten];
    const backends = this.#backends;
    const pipeline = client.pipeline();
    for (const [, { backend, server, value }] of words) {
      if (value === null) pipeline.hdel(this.#key(backend), server);
      else pipeline.hset(this.#key(backend), server, value);
    }
    for (const backend of backends) pipeline.hgetall(this.#key(backend));
    if (pipeline.length === 0) return;
    const replies = await this.#replies(pipeline, this.#connection.timeoutMs * deadlines);
    if (replies === null) return;
    for (const [i, [name, word]] of words.entries()) this.#written(name, word, replies[i]?.[0] ?? null);
    for (const [i, backend] of backends.entries()) this.#read(backend, replies[words.length + i] ?? [null, {}]);
  }

  async #replies(pipeline: ChainableCommander, withinMs: number): Promise<readonly [Error | null, unknown][] | null> {
    const { circuit, address } = this.#connection;
    try {
      const replies = await this.#connection.reply(pipeline.exec(), withinMs);
      circuit.succeeded();
      return replies;
    } catch (error) {
      circuit.failed(redisFailure(error, address));
      return null;
    }
  }

  /** A Redis that is full, or another that refuses, is told again. A key that is no hash never will take it. */
  #written(name: string, word: Unwritten, error: Error | null): void {
    const failure = error && redisFailure(error, this.#connection.address);
    if (failure === null) this.#connection.circuit.written();
    else this.#connection.circuit.failed(failure);
    if (failure !== null && failure.code !== 'REDIS_ENTRY') return;
    if (this.#unwritten.get(name) === word) this.#unwritten.delete(name);
  }

  #read(backend: string, [error, reply]: readonly [Error | null, unknown]): void {
    if (error !== null) {
      const failure = redisFailure(error, this.#connection.address);
      this.#connection.circuit.failed(failure);
      if (failure.code === 'REDIS_ENTRY') this.#tell(backend, '', failure.message);
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
