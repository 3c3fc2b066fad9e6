import { besideFile } from './named_file.ts';
import { type Notes, noteValue } from './notes.ts';
import type { VipConfig } from './resolved.ts';
import { TAKEOVER_PACE } from './schema/rate.ts';
import type { RawVip } from './schema/vip.ts';
import type { Path } from './tree.ts';

const VIP: Path = ['global', 'vip'];

/**
 * The virtual addresses with everything filled in. Whether the folders are there is seen at the start: the file is
 * checked on other hosts, and by other users, too.
 */
export function resolveVip(raw: RawVip, notes: Notes): VipConfig {
  const trackFile = besideFile(raw.track_file, [...VIP, 'track_file'], notes.tree);
  const notifyFifo = besideFile(raw.notify_fifo, [...VIP, 'notify_fifo'], notes.tree);
  if (trackFile === notifyFifo) {
    noteValue([...VIP, 'notify_fifo'], '{value} is the track file', 'Give each of them a path of its own.', notes);
  }
  for (const [index, address] of raw.address.entries()) {
    if (raw.address.indexOf(address) === index) continue;
    noteValue([...VIP, 'address', index], '{value} is written twice', 'Remove one of them.', notes);
  }
  return {
    addresses: raw.address,
    trackFile,
    notifyFifo,
    connectRate: raw.connect_rate === undefined ? TAKEOVER_PACE : raw.connect_rate,
    paceForMs: raw.connect_rate_for,
  };
}
