import type { RedisFleet } from './redis_fleet.ts';
import type { RedisNode } from './redis_node.ts';
import { slotOf } from './slots.ts';

/** Where a walk through all keys stands: a shard, by its first slot; which server that was; and its own cursor. */
interface ScanPlace {
  readonly shard: number;
  readonly server: string;
  readonly cursor: string;
}

export interface ScanStep {
  readonly node: RedisNode;
  readonly cursor: string;
  /** The cursor of the walk that goes with what the server answers. */
  next(cursor: string): string | null;
}

const shape = /^(\d{1,5})-([0-9a-f]{4})-(\d{1,20})$/;
const begin: ScanPlace = { shard: 0, server: '', cursor: '0' };

/**
 * The next step of a walk, shard by shard; null: nobody has any slot. Where another server has become master of a shard
 * meanwhile, its part begins anew: an entry may be seen twice. Any other cursor begins the walk anew.
 */
export function scanStep(fleet: RedisFleet, text: string | null): ScanStep | null {
  const place = readPlace(text);
  const { shards } = fleet;
  const at = Math.max(
    0,
    shards.findLastIndex(({ firstSlot }) => firstSlot <= place.shard),
  );
  const shard = shards[at];
  if (shard === undefined) return null;
  const { node, address, firstSlot } = shard;
  const server = markOf(address);
  const following = shards[at + 1];
  return {
    node,
    cursor: server === place.server ? place.cursor : '0',
    next(cursor) {
      if (cursor !== '0') return `${firstSlot}-${server}-${cursor}`;
      return following === undefined ? null : `${following.firstSlot}-${markOf(following.address)}-0`;
    },
  };
}

function readPlace(text: string | null): ScanPlace {
  const [, shard, server, cursor] = shape.exec(text ?? '') ?? [];
  return shard === undefined || server === undefined || cursor === undefined
    ? begin
    : { shard: Number(shard), server, cursor };
}

/** Which server it was, shortly: two that take each other's place hardly ever have the same mark. */
function markOf(address: string): string {
  return slotOf(address).toString(16).padStart(4, '0');
}
