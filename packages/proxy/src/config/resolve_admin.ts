import type { Listen } from './check_listens.ts';
import { isWritten, valueAt } from './locate.ts';
import type { Notes } from './notes.ts';
import type { GlobalConfig } from './resolved.ts';
import type { Path } from './tree.ts';

/** The path of one runtime API: it may be one value, or an item of a list. */
export function runtimeApiPath(index: number, notes: Notes): Path {
  const path = ['global', 'runtime_api'];
  return Array.isArray(valueAt(notes.tree, path)) ? [...path, index] : path;
}

/** Where the address is: below the key in the long form, else the key's own value. */
export function addressPath(path: Path, key: 'address' | 'bind', notes: Notes): Path {
  return isWritten(notes.tree, [...path, key]) ? [...path, key] : path;
}

/** What the faces for operators listen on over TCP. */
export function adminListens({ runtimeApi, stats }: GlobalConfig, notes: Notes): readonly Listen[] {
  const apis = runtimeApi.flatMap(({ label, listen }, index) => {
    if (listen.kind !== 'tcp') return [];
    const path = addressPath(runtimeApiPath(index, notes), 'address', notes);
    return [{ at: { label, host: listen.host, port: listen.port }, path }];
  });
  if (stats === null) return apis;
  return [...apis, { at: stats, path: addressPath(['global', 'stats'], 'bind', notes) }];
}
