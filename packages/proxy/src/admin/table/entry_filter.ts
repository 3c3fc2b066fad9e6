import type { StickEntry } from '@limpet/state';
import type { EntryFilter } from '../control.ts';

/** Keys of ours have 128 bytes at most; longer ones are somebody else's. */
const LONGEST_KEY = 512;

/** Whether an entry meets all that a filter says. One that counts nothing down (null) has more left than any other. Pure. */
export function matches(
  entry: Pick<StickEntry, 'key' | 'server' | 'state'>,
  ttlLeftMs: number | null,
  filter: EntryFilter,
): boolean {
  const ttlMs = ttlLeftMs ?? Number.POSITIVE_INFINITY;
  if (filter.server !== undefined && entry.server !== filter.server) return false;
  if (filter.state !== undefined && entry.state !== filter.state) return false;
  if (filter.ttlMsBelow !== undefined && ttlMs > filter.ttlMsBelow) return false;
  if (filter.ttlMsAbove !== undefined && ttlMs < filter.ttlMsAbove) return false;
  return wantsKey(entry.key, filter);
}

/** Whether an entry of this key may match: all that can be said before the entry is read. Pure. */
export function wantsKey(key: string, filter: EntryFilter): boolean {
  return filter.keyContains === undefined || key.includes(filter.keyContains);
}

/** As wantsKey(), of what stands in a Redis that others may write to as well. Pure. */
export function isOurs(key: string, filter: EntryFilter): boolean {
  return key.length <= LONGEST_KEY && wantsKey(key, filter);
}
