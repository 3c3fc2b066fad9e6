import type { ClaimAnswer, Claimant, ClaimRequest, StickEntry, StickTable, StickTimes } from './contract.ts';
import type { RedisConnection } from './redis.ts';
import type { KeyCommand } from './redis_batch.ts';
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

/**
 * `written`: the entry names that server now. `kept`: a claim that may be newer stands. `failed`: this key is unusable.
 * `full`: its server has no room for it. `away`: its server did not answer, or does not serve us.
 */
export type AdoptResult = 'written' | 'kept' | 'failed' | 'full' | 'away';

/**
 * The table as it is in Redis. Where a method concerns one key it rejects with a StateError, and the caller tells the circuit
 * of that key. `renew` and `adopt` do what can be done, never reject, and the circuits hear of it.
 */
export interface SharedTable extends StickTable {
  readonly times: StickTimes;
  /**
   * Other times, for what is written from now on. Where they are longer, the caller renews its live sessions at once: what
   * is pinned still has the former time, which may be shorter than the new interval of renewals (P3).
   */
  reconfigure(times: StickTimes): void;
  /** Writes what was decided while Redis was away, without overwriting newer claims. One result for each, in order. */
  adopt(adoptions: readonly Adoption[]): Promise<readonly AdoptResult[]>;
  /** The slot of a key, by which the connection knows its server. */
  slotOf(key: string): number;
}

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
      const commands = pins.map(
        ({ key, server, by }): KeyCommand => ['stickRenew', redisKey(key), server, by.owner, by.epoch, pinnedTtlMs],
      );
      const replies = await connection.batch(commands);
      return pins.flatMap((pin, i) => (replies[i] === 1 ? [pin.key] : []));
    },
    async adopt(adoptions) {
      const commands = adoptions.map(
        (adoption): KeyCommand => ['stickAdopt', redisKey(adoption.key), ...adoptArguments(adoption, pinnedTtlMs)],
      );
      return (await connection.batch(commands)).map(adoptResult);
    },
    slotOf: key => connection.slotOf(redisKey(key)),
    async get(key) {
      const reply = Promise.all([client.get(redisKey(key)), client.pttl(redisKey(key))]);
      const [value, ttlMs] = await connection.reply(reply);
      return entryOf(key, value, ttlMs);
    },
    async close() {},
  };
}

function adoptResult(reply: unknown): AdoptResult {
  if (!(reply instanceof StateError)) return reply === 1 ? 'written' : 'kept';
  if (reply.code === 'REDIS_FULL') return 'full';
  return reply.code === 'REDIS_ENTRY' ? 'failed' : 'away';
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
