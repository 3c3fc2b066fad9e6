import { isIP } from 'node:net';
import { isLoopback } from './address.ts';
import { isWritten } from './locate.ts';
import { type Notes, noteKey, warn } from './notes.ts';
import type { Config } from './resolved.ts';
import type { RawServer } from './schema/backend.ts';
import type { Path } from './tree.ts';

/**
 * Where connections to a server begin. Its own addresses must be of the family of the server's literal address; of the
 * backend's, which are for all servers, at least one. A host name may turn out to be of either: see dial/departures.ts.
 */
export function sourceOf(
  server: RawServer,
  backends: readonly string[] | false,
  path: Path,
  notes: Notes,
): readonly string[] {
  const source = server.source ?? backends;
  if (source === false) return [];
  const family = isIP(server.address.host);
  if (family === 0) return source;
  const fitting = source.filter(address => isIP(address) === family);
  const isOwn = server.source !== undefined;
  if (fitting.length === 0 || (isOwn && fitting.length < source.length)) {
    const what = `the server has an IPv${family} address, and ${fitting.length === 0 ? 'none of these is one' : 'not all of these are'}`;
    noteKey([...path, 'source'], what, `Write IPv${family} addresses of this host, or \`source: false\`.`, notes);
  }
  return fitting;
}

/** What may be meant, as an address may come later: but most likely is a slip, or belongs to another host. */
export function checkSources({ backends, global }: Config, ofThisHost: readonly string[], notes: Notes): void {
  const virtual = global.vip?.addresses ?? [];
  for (const { name, servers } of backends) {
    const warned = new Set<string>();
    for (const server of servers) {
      const own = ['backends', name, 'servers', server.name, 'source'];
      const path = isWritten(notes.tree, own) ? own : ['backends', name, 'source'];
      for (const address of server.source) {
        const fault = faultOf(address, virtual, ofThisHost);
        const place = `${path.length} ${address}`;
        if (fault === null || warned.has(place)) continue;
        warned.add(place);
        warn(path, fault, 'Give this host a further address that stays with it, and name that.', notes);
      }
    }
  }
}

function faultOf(address: string, virtual: readonly string[], ofThisHost: readonly string[]): string | null {
  if (virtual.includes(address)) {
    return `${address} is a virtual address: on the standby it does not exist, and when it moves every connection breaks`;
  }
  // All of 127.0.0.0/8 is there, though the interface shows one address.
  if (isLoopback(address) || ofThisHost.includes(address)) return null;
  return `${address} is no address of this host now, and no connection can begin there until it is`;
}
