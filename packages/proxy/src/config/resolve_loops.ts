import { leadsTo } from './address.ts';
import { isWritten, problemAt, writePath } from './locate.ts';
import type { Notes } from './notes.ts';
import type { Config } from './resolved.ts';

/** A server that is a bind of this proxy: each client would go round until the connections are used up. */
export function warnOfLoops({ frontends, backends }: Config, notes: Notes): void {
  const binds = frontends.flatMap(({ name, binds: own }) => own.map(bind => ({ bind, frontend: name })));
  for (const backend of backends) {
    for (const server of backend.servers) {
      const found = binds.find(({ bind }) => leadsTo(server, bind));
      if (found === undefined) continue;
      const path = ['backends', backend.name, 'servers', server.name];
      const place = isWritten(notes.tree, [...path, 'address']) ? [...path, 'address'] : path;
      const message = `\`${writePath(path)}\`: this address is the bind ${found.bind.label} of the frontend ${found.frontend}, so clients would go round in a loop`;
      const remedy = 'Write the address of the broker, or bind to another port.';
      notes.warnings.push(problemAt(notes.tree, place, 'value', message, remedy));
    }
  }
}
