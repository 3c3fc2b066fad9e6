import type { Stats } from 'node:fs';

/** It is neither ours nor root's: its owner can write there, and can let others. */
export function isForeign({ uid }: Pick<Stats, 'uid'>): boolean {
  return uid !== 0 && uid !== process.getuid?.();
}
