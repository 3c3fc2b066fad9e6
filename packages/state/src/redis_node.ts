import { Redis, type RedisOptions } from 'ioredis';
import { Circuit, type CircuitListener } from './circuit.ts';
import { redisFailure } from './redis_failure.ts';
import type { PlaceOptions } from './redis_target.ts';
import { scripts } from './scripts.ts';
import type { StateError } from './state_error.ts';

/** ioredis types this one option in two ways that exclude each other under exactOptionalPropertyTypes. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** A name may resolve to a host that drops packets; TLS needs its round trips. */
const connectTimeoutMs = 2000;
/** TCP keep-alive: a dead peer of an idle connection is noticed by the kernel. */
const keepAliveMs = 10_000;

/** How the servers of one connection are spoken to. */
export interface NodeTerms {
  /** Deadline of one call. */
  readonly timeoutMs: number;
  /** The name of the connection in `CLIENT LIST`. */
  readonly name: string;
  readonly listener: CircuitListener;
  /** A key that nobody else uses; `isOwn`: this server has it, as far as is known. */
  probeKey(): { readonly key: string; readonly isOwn: boolean };
  /** The reply of a command within the deadline, as one of our own errors where it fails. */
  reply<T>(command: Promise<T>): Promise<T>;
}

/**
 * One Redis server: the connection to it, which is made anew for as long as this is open, and its circuit breaker. In a
 * cluster each server has its own, so that one that is away takes only its own keys out of use.
 */
export class RedisNode {
  readonly client: Redis;
  readonly circuit: Circuit;
  /** Without a password. */
  readonly address: string;

  /** `awaySinceMs`: as Circuit's. */
  constructor(place: PlaceOptions, address: string, terms: NodeTerms, awaySinceMs: number | null = null) {
    this.address = address;
    this.client = new Redis({
      ...place,
      ...clientOptions(terms.timeoutMs, terms.name),
      retryStrategy: () => this.circuit.nextDelayMs(),
    });
    gatherWrites(this.client);
    const link = {
      // Removes nothing, but it is a write: a replica refuses it, and so does a Redis that must not write.
      probe: async (): Promise<void> => {
        const { key, isOwn } = terms.probeKey();
        const answer = this.client.del(key);
        await terms.reply(isOwn ? answer : answer.catch(movedIsWell));
      },
      drop: (): void => this.client.disconnect(true),
    };
    this.circuit = new Circuit(link, terms.listener, awaySinceMs);
    this.#tellCircuit();
  }

  /** Ends the connection and all that waits on it. */
  async close(): Promise<void> {
    const { client, circuit } = this;
    circuit.close();
    // Between two connections ioredis only stops its timer, and tells no end.
    const isIdle = client.status === 'end' || client.status === 'reconnecting';
    const ended = isIdle ? null : new Promise<void>(resolve => client.once('end', () => resolve()));
    client.disconnect();
    await ended;
  }

  #tellCircuit(): void {
    const { client, circuit, address } = this;
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
}

/**
 * What is sent in one turn of the event loop goes in one write at its end: a write costs more than its command does, and in
 * a busy turn many clients arrive and leave.
 */
function gatherWrites(client: Redis): void {
  const send = client.sendCommand;
  let gathering: Redis['stream'] | null = null;
  const release = (): void => {
    const stream = gathering;
    gathering = null;
    stream?.uncork();
  };
  client.sendCommand = (command, stream): unknown => {
    // Without a connection there is no stream, whatever its type says; one that is lost takes what it had along.
    const current: Redis['stream'] | undefined = client.stream;
    if (current !== undefined && current !== null && current !== gathering) {
      release();
      gathering = current;
      current.cork();
      setImmediate(release);
    }
    return send.call(client, command, stream);
  };
}

/** A server of a cluster that has no slots yet is asked about a key of another one. It says so only while it serves. */
function movedIsWell(error: unknown): void {
  if (!(error instanceof Error) || !/^MOVED /.test(error.message)) throw error;
}

/** What every connection of Limpet to a Redis has, also one to a sentinel. */
export function clientOptions(timeoutMs: number, name: string): ClientOptions {
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
    scripts,
  };
}
