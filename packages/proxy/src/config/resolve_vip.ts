import { besideFile } from './named_file.ts';
import { type Notes, noteValue, warn } from './notes.ts';
import type { Config, VipConfig } from './resolved.ts';
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

/** Then a pair is two proxies that know nothing of each other. */
export function warnOfLoneMemory({ global, state }: Config, notes: Notes): void {
  if (global.vip === null || state.store === 'redis') return;
  const what =
    'with `state.store: memory` homes and operators’ words do not survive a move of the address: each proxy has its own';
  warn(VIP, what, 'Give both proxies one Redis: state: { store: redis, redis: { url: … } }.', notes);
}

/** The standby does not have the address, so it could not start there, or not without `ip_nonlocal_bind`. */
export function warnOfVirtualBinds({ frontends, global }: Config, notes: Notes): void {
  const virtual = global.vip?.addresses ?? [];
  for (const { name, binds } of frontends) {
    for (const { host, label } of binds) {
      if (!virtual.includes(host)) continue;
      const what = `${label} is at a virtual address, which the standby does not have: it cannot listen there`;
      const remedy = 'Write * for all addresses, or set net.ipv4.ip_nonlocal_bind (net.ipv6.ip_nonlocal_bind) to 1.';
      warn(['frontends', name, 'bind'], what, remedy, notes);
    }
  }
}
