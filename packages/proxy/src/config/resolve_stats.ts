import { isLoopback } from './address.ts';
import { namesInOrder } from './locate.ts';
import { type Notes, noteValue, warn } from './notes.ts';
import { addressPath } from './resolve_admin.ts';
import { resolveBindTls } from './resolve_tls.ts';
import type { StatsConfig } from './resolved.ts';
import type { RawStats } from './schema/stats.ts';

const PATH = ['global', 'stats'];

/** Who is not on this host must say who they are, and should not say it in the clear. */
function checkReach(raw: RawStats, notes: Notes): void {
  if (isLoopback(raw.bind.at.host)) return;
  const place = addressPath(PATH, 'bind', notes);
  if (Object.keys(raw.users).length === 0) {
    const remedy =
      'Add `users: { NAME: { password: HASH, level: admin } }` (`limpet password` makes the hash), or write 127.0.0.1.';
    noteValue(place, '{value} can be reached from other hosts, and there are no `users`', remedy, notes);
  } else if (raw.tls === undefined) {
    const what = 'without `tls` the passwords of `users` cross the network as they are';
    warn(place, what, 'Add `tls: { cert: server.pem }`, or write 127.0.0.1.', notes);
  }
}

/** The HTTP side with everything filled in. */
export function resolveStats(raw: RawStats, notes: Notes): StatsConfig {
  checkReach(raw, notes);
  const names = namesInOrder(notes.tree, [...PATH, 'users'], Object.keys(raw.users));
  return {
    label: raw.bind.label,
    ...raw.bind.at,
    uri: raw.uri,
    refreshMs: raw.refresh,
    tls: raw.tls === undefined ? null : resolveBindTls(raw.tls, [...PATH, 'tls'], notes),
    users: names.flatMap(name => {
      const user = raw.users[name];
      return user === undefined ? [] : [{ name, password: user.password, level: user.level }];
    }),
    hosts: [...new Set(raw.hosts)],
  };
}
