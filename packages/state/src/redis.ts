import type { Redis } from 'ioredis';
import type { Circuit, CircuitListener, ReturnTask, SharedCircuit } from './circuit.ts';
import { ClusterLookout } from './cluster_lookout.ts';
import { type KeyCommand, sendBatch } from './redis_batch.ts';
import { RedisDeadlines } from './redis_deadline.ts';
import { keyMoving, redisFailure } from './redis_failure.ts';
import { RedisFleet } from './redis_fleet.ts';
import type { Lookout } from './redis_lookout.ts';
import { routedClient } from './redis_router.ts';
import { scanStep } from './redis_scan.ts';
import { type PlaceOptions, type RedisTarget, serverOptions, sharedOptions, targetText } from './redis_target.ts';
import { FleetWatch } from './redis_watch.ts';
import { SentinelLookout } from './sentinel_lookout.ts';
import { wholeMap } from './slots.ts';

export interface ConnectOptions extends Partial<CircuitListener> {
  /** One server, the master of some sentinels, or a cluster. */
  readonly target: RedisTarget;
  /** Begins every key. */
  readonly prefix: string;
  /** Deadline of one call. */
  readonly timeoutMs: number;
  /** The name of the connection in `CLIENT LIST`. Spaces become `-`. */
  readonly name: string;
}

/** Commands that name one key, the first one. Those that name none or several belong to no server of a cluster. */
export type KeyCommands = Omit<
  Redis,
  'pipeline' | 'multi' | 'scan' | 'keys' | 'connect' | 'disconnect' | 'quit' | 'duplicate'
>;

/**
 * The way to Redis, shared by all tables of a process, whether that is one server, the master of some sentinels or a
 * cluster. Each server has a circuit breaker of its own. It connects again for as long as it is open. Whoever made it
 * closes it, after its tables.
 */
export interface RedisConnection {
  readonly client: KeyCommands;
  readonly prefix: string;
  readonly timeoutMs: number;
  /** The target without its password. */
  readonly address: string;
  /** Of all servers as one: closed while any of them is asked. */
  readonly circuit: SharedCircuit;
  /** Keys of one slot are on one server. Always 0 where there is only one. */
  slotOf(key: string): number;
  /** The circuit of the server that has these keys now. */
  circuitAt(slot: number): Circuit;
  /** Has decisions written before a circuit closes again, to its own server. Returns the way to leave. */
  register(task: ReturnTask): () => void;
  /**
   * The reply of a command that was just sent.
   * @throws StateError after the deadline (default: `timeoutMs`), or for what Redis or the connection says.
   */
  reply<T>(command: Promise<T>, deadlineMs?: number): Promise<T>;
  /**
   * Sends many commands, each with one key, and answers for each of them in order: its reply, or a StateError. Never
   * rejects. The circuits hear how it went.
   * @param deadlineMs of 128 of them; default: 5 × `timeoutMs`
   */
  batch(commands: readonly KeyCommand[], deadlineMs?: number): Promise<readonly unknown[]>;
  /**
   * A step of SCAN through all servers; `cursor` null: the first, `next` null: that was the last. While servers change, a
   * key may be seen twice, or be missed.
   * @throws StateError
   */
  scan(
    cursor: string | null,
    pattern: string,
    count: number,
  ): Promise<{ next: string | null; keys: readonly string[] }>;
  /** Waits for the replies that are open, no longer than their deadlines. May be called twice. */
  close(): Promise<void>;
}

/** A batch is nobody's wait, and is behind others in a busy Redis. */
const batchDeadlines = 5;

/**
 * Begins to connect, and returns at once: nothing waits for Redis. `circuit.firstContact` tells how it went.
 * @throws StateError REDIS_URL_INVALID, REDIS_TLS_INVALID
 */
export function connectRedis(options: ConnectOptions): RedisConnection {
  const { target, prefix, timeoutMs } = options;
  const address = targetText(target);
  const open = new Set<Promise<unknown>>();
  const deadlines = new RedisDeadlines(address);
  const reply = <T>(command: Promise<T>, deadlineMs = timeoutMs): Promise<T> => {
    const answer = deadlines.within(command, deadlineMs);
    const forget = (): boolean => open.delete(answer);
    open.add(answer);
    answer.then(forget, forget);
    return answer;
  };
  const { fleet, watch } = openFleet(options, address, reply);
  const onStale = (): void => watch?.hurry();
  return {
    client: watch === null ? onlyClient(fleet) : routedClient(fleet, timeoutMs, onStale),
    prefix,
    timeoutMs,
    address,
    circuit: watch === null ? fleet.circuitAt(0) : fleet.whole,
    slotOf: key => fleet.slotOf(key),
    circuitAt: slot => fleet.circuitAt(slot),
    register: task => fleet.register(task),
    reply,
    batch(commands, deadlineMs = timeoutMs * batchDeadlines) {
      return sendBatch({ fleet, onStale, reply: command => reply(command, deadlineMs) }, commands);
    },
    async scan(cursor, pattern, count) {
      const step = scanStep(fleet, cursor);
      if (step === null) throw keyMoving(address, 'no server is known');
      const { client: server, address: at } = step.node;
      const command = server.scan(step.cursor, 'MATCH', pattern, 'COUNT', count);
      const failed = (error: unknown): never => {
        throw redisFailure(error, at);
      };
      const [next, keys] = await reply(command.catch(failed));
      return { next: step.next(next), keys };
    },
    async close() {
      watch?.close();
      for (const { circuit } of fleet.nodes) circuit.close();
      await Promise.allSettled(open);
      await fleet.close();
    },
  };
}

function openFleet(
  options: ConnectOptions,
  address: string,
  reply: RedisConnection['reply'],
): { readonly fleet: RedisFleet; readonly watch: FleetWatch | null } {
  const { target, prefix, timeoutMs, name } = options;
  let watch: FleetWatch | null = null;
  const listener: CircuitListener = {
    onAway: reason => {
      watch?.hurry();
      options.onAway?.(reason);
    },
    onBack: awayMs => options.onBack?.(awayMs),
    onRefused: reason => options.onRefused?.(reason),
  };
  const common = { timeoutMs, name, prefix, listener, reply, isSpread: target.kind === 'cluster' };
  if (target.kind === 'server') {
    const place = serverOptions(target);
    const fleet = new RedisFleet({ ...common, optionsAt: () => place, addressAt: () => address });
    fleet.apply(wholeMap({ host: place.host ?? '', port: place.port ?? 0 }));
    return { fleet, watch: null };
  }
  const database = target.kind === 'sentinel' ? target.database : null;
  const shared = sharedOptions(target.login, target.tls, database);
  const fleet = new RedisFleet({ ...common, optionsAt: ({ host, port }) => ({ ...shared, host, port }) });
  watch = new FleetWatch(fleet, lookoutOf(target, shared, name, fleet));
  return { fleet, watch };
}

function lookoutOf(
  target: Exclude<RedisTarget, { kind: 'server' }>,
  shared: PlaceOptions,
  name: string,
  fleet: RedisFleet,
): Lookout {
  if (target.kind === 'cluster') return new ClusterLookout(target.nodes, shared, name, () => fleet.served);
  const options = sharedOptions(target.sentinelLogin, target.sentinelTls, null);
  return new SentinelLookout(target.sentinels, target.master, options, name);
}

function onlyClient(fleet: RedisFleet): KeyCommands {
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('a fleet of one server has one');
  return node.client;
}
