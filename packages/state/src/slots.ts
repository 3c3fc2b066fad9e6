import keySlot from 'cluster-key-slot';
import { placeText, type RedisPlace } from './redis_target.ts';

/** Hash slots of a Redis Cluster. */
export const slotCount = 16_384;
/** More servers than any cluster has: what a reply may make us connect to is bounded. */
const mostServers = 1000;

/** One master, and how its share is known. */
export interface Shard {
  readonly place: RedisPlace;
  /** The lowest slot that it has: by this the shards are in order. */
  readonly firstSlot: number;
}

/** Which server has which keys, at one moment. */
export interface SlotMap {
  /** In the order of their first slots. */
  readonly shards: readonly Shard[];
  /** By slot: the shard; -1: nobody has it. */
  readonly owners: Int16Array;
  /** Replicas: they are asked who is master where no master answers. */
  readonly replicas: readonly RedisPlace[];
}

/** The slot of a key, as Redis counts it: also by `{…}` within a client's own id. */
export function slotOf(key: string): number {
  return keySlot(key);
}

/** All keys on one server. */
export function wholeMap(place: RedisPlace): SlotMap {
  return { shards: [{ place, firstSlot: 0 }], owners: new Int16Array(slotCount), replicas: [] };
}

/** Reads the answer to CLUSTER SLOTS; null: it is none. A server without a host of its own is where it was asked. Pure. */
export function readSlots(reply: unknown, asked: RedisPlace): SlotMap | null {
  if (!Array.isArray(reply) || reply.length === 0) return null;
  const shards: Shard[] = [];
  const replicas = new Map<string, RedisPlace>();
  const owners = new Int16Array(slotCount).fill(-1);
  const known = new Map<string, number>();
  const ranges = reply.map(range => readRange(range, asked)).sort((a, b) => (a?.from ?? 0) - (b?.from ?? 0));
  for (const range of ranges) {
    if (range === null) return null;
    const name = placeText(range.master);
    const shard = known.get(name) ?? shards.push({ place: range.master, firstSlot: range.from }) - 1;
    known.set(name, shard);
    owners.fill(shard, range.from, range.to + 1);
    for (const replica of range.replicas) replicas.set(placeText(replica), replica);
    if (known.size + replicas.size > mostServers) return null;
  }
  return { shards, owners, replicas: [...replicas.values()] };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly master: RedisPlace;
  readonly replicas: readonly RedisPlace[];
}

function readRange(range: unknown, asked: RedisPlace): Range | null {
  if (!Array.isArray(range)) return null;
  const [from, to, ...servers] = range;
  if (!isSlot(from) || !isSlot(to) || from > to) return null;
  const [master, ...replicas] = servers.map(server => readPlace(server, asked));
  if (master === undefined || master === null) return null;
  return { from, to, master, replicas: replicas.filter(replica => replica !== null) };
}

function readPlace(server: unknown, asked: RedisPlace): RedisPlace | null {
  if (!Array.isArray(server)) return null;
  const [host, port] = server;
  if (!isPort(port)) return null;
  if (host === null || host === '' || host === '?') return { host: asked.host, port };
  return typeof host === 'string' && host.length <= 255 ? { host, port } : null;
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < slotCount;
}

export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 65_535;
}

/** Where a MOVED or ASK error points to: `MOVED 3999 10.0.0.2:6379`. Null: it is neither. Pure. */
export function readRedirect(
  text: string,
  asked: RedisPlace,
): { readonly kind: 'MOVED' | 'ASK'; readonly slot: number; readonly place: RedisPlace } | null {
  const [, kind, slot, host = '', port] = /\b(MOVED|ASK) (\d{1,5}) (\S{0,255}):(\d{1,5})\b/.exec(text) ?? [];
  if ((kind !== 'MOVED' && kind !== 'ASK') || !isSlot(Number(slot)) || !isPort(Number(port))) return null;
  const named = host.replace(/^\[|\]$/g, '');
  return { kind, slot: Number(slot), place: { host: named === '' ? asked.host : named, port: Number(port) } };
}
