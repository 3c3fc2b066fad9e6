import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions, type Result } from 'ioredis';
import { Circuit, type CircuitListener } from './circuit.ts';
import { redisFailure, redisTimeout } from './redis_failure.ts';
import { parseRedisUrl } from './redis_url.ts';
import type { StateError } from './state_error.ts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    stickClaim(key: string, ...args: (string | number)[]): Result<string, Context>;
    stickConfirm(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickAbandon(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickRelease(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickForget(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickRenew(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickPut(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickAdopt(key: string, ...args: (string | number)[]): Result<number, Context>;
  }
}

export interface ConnectOptions extends Partial<CircuitListener> {
  /** redis://, rediss:// or unix://, with user, password and database where needed. */
  readonly url: string;
  /** Begins every key. */
  readonly prefix: string;
  /** Deadline of one call. */
  readonly timeoutMs: number;
  /** The name of the connection in `CLIENT LIST`. Spaces become `-`. */
  readonly name: string;
}

/**
 * One connection to Redis, shared by all tables of a process, and its circuit breaker. It connects again for as long as it
 * is open. Whoever made it closes it, after its tables.
 */
export interface RedisConnection {
  readonly client: Redis;
  readonly prefix: string;
  readonly timeoutMs: number;
  /** The URL without its password. */
  readonly address: string;
  readonly circuit: Circuit;
  /**
   * The reply of a command that was just sent.
   * @throws StateError after the deadline (default: `timeoutMs`), or for what Redis or the connection says.
   */
  reply<T>(command: Promise<T>, deadlineMs?: number): Promise<T>;
  /** Waits for the replies that are open, no longer than their deadlines. May be called twice. */
  close(): Promise<void>;
}

/** ioredis types this one option in two ways that exclude each other under exactOptionalPropertyTypes. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** A name may resolve to a host that drops packets; TLS needs its round trips. */
const connectTimeoutMs = 2000;
/** TCP keep-alive: a dead peer of an idle connection is noticed by the kernel. */
const keepAliveMs = 10_000;

/**
 * Begins to connect, and returns at once: nothing waits for Redis. `circuit.firstContact` tells how it went.
 * @throws StateError REDIS_URL_INVALID
 */
export function connectRedis(options: ConnectOptions): RedisConnection {
  const { options: target, shown: address } = parseRedisUrl(options.url);
  const { prefix, timeoutMs } = options;
  const client: Redis = new Redis({
    ...target,
    ...clientOptions(timeoutMs, options.name),
    retryStrategy: () => circuit.nextDelayMs(),
  });
  const open = new Set<Promise<unknown>>();
  const reply = <T>(command: Promise<T>, deadlineMs = timeoutMs): Promise<T> => {
    const answer = within(command, deadlineMs, address);
    const forget = (): boolean => open.delete(answer);
    open.add(answer);
    answer.then(forget, forget);
    return answer;
  };
  const link = {
    // Removes nothing, but it is a write: a replica refuses it, and so does a Redis that must not write.
    probe: async (): Promise<void> => void (await reply(client.del(`${prefix}:probe`))),
    drop: (): void => client.disconnect(true),
  };
  const circuit = new Circuit(link, {
    onAway: reason => options.onAway?.(reason),
    onBack: awayMs => options.onBack?.(awayMs),
    onRefused: reason => options.onRefused?.(reason),
  });
  tellCircuit(client, circuit, address);
  return { client, prefix, timeoutMs, address, circuit, reply, close: () => close(client, circuit, open) };
}

function clientOptions(timeoutMs: number, name: string): ClientOptions {
  return {
    // RESP2 and no INFO: proxies before Redis and restricted users understand it; the probe asks what matters.
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectionName: name.replaceAll(/\s+/g, '-'),
    // A command is sent now or not at all, and never twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Behind our own deadline; it ends a handshake that nobody answers.
    commandTimeout: Math.max(timeoutMs * 5, 500),
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: 1,
    keepAlive: keepAliveMs,
    scripts: Object.fromEntries(
      ['Claim', 'Confirm', 'Abandon', 'Release', 'Forget', 'Renew', 'Put', 'Adopt'].map(operation => [
        `stick${operation}`,
        { lua: readScript(operation.toLowerCase()), numberOfKeys: 1 },
      ]),
    ),
  };
}

function readScript(name: string): string {
  return readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), 'utf8');
}

function tellCircuit(client: Redis, circuit: Circuit, address: string): void {
  let lastError: StateError | null = null;
  client.on('error', (error: unknown) => {
    lastError = redisFailure(error, address);
  });
  client.on('ready', () => {
    lastError = null;
    void circuit.connected();
  });
  client.on('close', () => {
    circuit.disconnected(lastError ?? redisFailure(new Error('the connection was closed'), address));
    lastError = null;
  });
}

async function close(client: Redis, circuit: Circuit, open: ReadonlySet<Promise<unknown>>): Promise<void> {
  circuit.close();
  await Promise.allSettled(open);
  // Between two connections ioredis only stops its timer, and tells no end.
  const isIdle = client.status === 'end' || client.status === 'reconnecting';
  const ended = isIdle ? null : new Promise<void>(resolve => client.once('end', () => resolve()));
  client.disconnect();
  await ended;
}

/**
 * The deadline lies one turn of the event loop behind the timer. After a turn that took long, timers fire before replies
 * are read that arrived meanwhile; so Redis is never blamed for our own delay.
 */
function within<T>(command: Promise<T>, deadlineMs: number, address: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(redisTimeout(address, deadlineMs));
    const timer = setTimeout(() => setImmediate(late), deadlineMs);
    command.then(
      value => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(redisFailure(error, address));
      },
    );
  });
}
