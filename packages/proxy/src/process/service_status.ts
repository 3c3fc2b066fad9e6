import type { Snapshot } from '../admin/snapshot.ts';

/** One line for `systemctl status`: `1234 sessions, 12 new/s, 3 of 4 servers up, drain emqx/emqx2: 20 left`. */
export function serviceStatus({ info, backends, tasks }: Snapshot): string {
  const servers = backends.flatMap(backend => backend.servers);
  const up = servers.filter(({ verdict }) => verdict !== 'down').length;
  const running = tasks.filter(({ endedAtMs }) => endedAtMs === null);
  const parts = [
    `${info.sessions} sessions`,
    `${info.rate} new/s`,
    `${up} of ${servers.length} servers up`,
    ...running.map(
      ({ kind, backend, server, left }) => `${kind} ${backend}${server ? `/${server}` : ''}: ${left} left`,
    ),
  ];
  if (!info.storeReachable) parts.push('Redis away');
  if (info.stopping) parts.unshift('stopping');
  return parts.join(', ');
}
