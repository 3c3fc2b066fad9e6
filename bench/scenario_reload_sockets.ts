/**
 * What the kernel says of connections, whoever has them.
 */
import { readFileSync } from 'node:fs';

/** The state of an established connection in /proc/net/tcp (proc_net_tcp(5)). */
const established = '01';

/** Established connections at a port of this host that listens on IPv4. */
export function openAt(port: number): number {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter(line => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === established && local?.endsWith(end) === true;
    }).length;
}
