import type { ChainableCommander } from 'ioredis';
import type { ClaimAnswer, Claimant, ClaimRequest, Pin, StickEntry, StickTable, StickTimes } from './contract.ts';
import type { RedisConnection } from './redis.ts';
import { redisFailure } from './redis_failure.ts';
import { StateError } from './state_error.ts';
import { pinnedMs } from './times.ts';
import { decodeValue, encodeValue, stateLetter } from './value.ts';

/** A decision that this proxy made while it could not reach Redis. */
export interface Adoption {
  readonly key: string;
  readonly server: string;
  readonly by: Claimant;
  readonly state: 'pinned' | 'cooling';
  /** What is left of a cooling entry; a pinned one is written with its full time. */
  readonly ttlMs: number;
  /** What these wrote, up to their epoch, is known to be older. */
  readonly known: readonly Claimant[];
}

/** `written`: the entry names that server now. `kept`: a claim that may be newer stands. `failed`: this key is unusable. */
export type AdoptResult = 'written' | 'kept' | 'failed';

/** The table as it is in Redis. Its methods reject with a StateError. */
export interface SharedTable extends StickTable {
  readonly times: StickTimes;
  /**
   * Other times, for what is written from now on. Where they are longer, the caller renews its live sessions at once: what
   * is pinned still has the former time, which may be shorter than the new interval of renewals (P3).
   */
  reconfigure(times: StickTimes): void;
  /** Writes what was decided while Redis was away, without overwriting newer claims. One result for each, in order. */
  adopt(adoptions: readonly Adoption[]): Promise<readonly AdoptResult[]>;
}

/** Scripts in one pipeline: Redis is not held for more than a few milliseconds, nor is our event loop. */
const batchSize = 128;
/** A batch is nobody's wait, and is behind others in a busy Redis. */
const batchDeadlines = 5;

/**
 * The stick table of a backend in Redis: `<prefix>:stick:<backend>:<key>`, one key in each script call, all times counted
 * by Redis. `close` does nothing: the connection belongs to its maker.
 */
export function redisTable(connection: RedisConnection, backend: string, initial: StickTimes): SharedTable {
  const { client } = connection;
  const redisKey = (key: string): string => `${connection.prefix}:stick:${backend}:${key}`;
  let times = initial;
  let pinnedTtlMs = pinnedMs(times.expireMs);
  return {
    get times() {
      return times;
    },
    reconfigure(others) {
      times = others;
      pinnedTtlMs = pinnedMs(times.expireMs);
    },
    async claim({ key, candidate, by, usable }: ClaimRequest) {
      const args = [candidate ?? '', by.owner, by.epoch, times.pendingMs, ...usable];
      return claimAnswer(await connection.reply(client.stickClaim(redisKey(key), ...args)), candidate);
    },
    async confirm({ key, server, by }) {
      const value = encodeValue({ server, owner: by.owner, epoch: by.epoch, state: 'pinned' });
      await connection.reply(client.stickConfirm(redisKey(key), value, pinnedTtlMs));
    },
    async abandon(key, by, displaced) {
      const args = [by.owner, by.epoch, displaced ?? '', times.expireMs];
      await connection.reply(client.stickAbandon(redisKey(key), ...args));
    },
    async release({ key, by }) {
      await connection.reply(client.stickRelease(redisKey(key), by.owner, by.epoch, times.expireMs));
    },
    async forget({ key, by }) {
      await connection.reply(client.stickForget(redisKey(key), by.owner, by.epoch));
    },
    async renew(pins) {
      const add = (batch: ChainableCommander, { key, server, by }: Pin): unknown =>
        batch.stickRenew(redisKey(key), server, by.owner, by.epoch, pinnedTtlMs);
      const replies = await inBatches(connection, pins, add);
      return pins.flatMap((pin, i) => (replies[i] === 1 ? [pin.key] : []));
    },
    async adopt(adoptions) {
      const replies = await inBatches(connection, adoptions, (batch, adoption) =>
        batch.stickAdopt(redisKey(adoption.key), ...adoptArguments(adoption, pinnedTtlMs)),
      );
      return adoptions.map((_, i) => (replies[i] === 1 ? 'written' : replies[i] === 0 ? 'kept' : 'failed'));
    },
    async get(key) {
      const reply = Promise.all([client.get(redisKey(key)), client.pttl(redisKey(key))]);
      const [value, ttlMs] = await connection.reply(reply);
      return entryOf(key, value, ttlMs);
    },
    async close() {},
  };
}

/**
 * Runs one script for each item, batch by batch. A key that cannot be used gives null. Where Redis is full, all are tried
 * all the same: what needs no memory, as the renewal of an entry that is there, is done.
 * @throws StateError for everything but a key; what was done before stays done.
 */
export async function inBatches<T>(
  connection: RedisConnection,
  items: readonly T[],
  add: (batch: ChainableCommander, item: T) => unknown,
): Promise<readonly unknown[]> {
  const replies: unknown[] = [];
  let full: StateError | null = null;
  for (let i = 0; i < items.length; i += batchSize) {
    const batch = connection.client.pipeline();
    for (const item of items.slice(i, i + batchSize)) add(batch, item);
    const results = await connection.reply(batch.exec(), connection.timeoutMs * batchDeadlines);
    for (const [error, reply] of results ?? []) {
      const failure = error ? redisFailure(error, connection.address) : null;
      if (failure?.code === 'REDIS_FULL') full = failure;
      else if (failure && failure.code !== 'REDIS_ENTRY') throw failure;
      replies.push(failure ? null : reply);
    }
  }
  if (full) throw full;
  return replies;
}

function adoptArguments({ server, by, state, ttlMs, known }: Adoption, pinnedTtlMs: number): (string | number)[] {
  const ttl = state === 'pinned' ? pinnedTtlMs : Math.max(1, Math.round(ttlMs));
  return [server, by.owner, by.epoch, stateLetter(state), ttl, ...known.flatMap(({ owner, epoch }) => [owner, epoch])];
}

function claimAnswer(reply: string, candidate: string | null): ClaimAnswer {
  const server = reply.slice(1);
  const displaced = server === '' ? null : server;
  if (reply.startsWith('h')) return { kind: 'held', server, degraded: false };
  if (reply.startsWith('f')) return { kind: 'free', displaced, degraded: false };
  if (reply.startsWith('c') && candidate !== null) {
    return { kind: 'claimed', server: candidate, displaced, degraded: false };
  }
  throw new StateError('TABLE_REPLY', `claim.lua answered ${reply}`, 'This is a fault of Limpet: please report it.');
}

/** What GET and PTTL say of a key; null: it is gone, or no entry. Pure. */
export function entryOf(key: string, value: unknown, pttl: unknown): StickEntry | null {
  if (typeof value !== 'string' || typeof pttl !== 'number' || pttl === -2) return null;
  const { server, owner, epoch, state } = decodeValue(value);
  return { key, server, owner, epoch, state, ttlMs: state === 'pinned' || pttl < 0 ? null : pttl };
}
