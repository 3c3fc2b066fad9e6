import { clashes } from './address.ts';
import { isWritten, problemAt, valueAt, writePath } from './locate.ts';
import type { Notes } from './resolve_backend.ts';
import type { BindConfig, FrontendConfig } from './resolved.ts';
import type { RawFrontend } from './schema/frontend.ts';
import type { RawGlobal } from './schema/global.ts';
import type { RawDefaults } from './schema/timeouts.ts';
import { suggest } from './suggest.ts';
import type { Path } from './tree.ts';
import { writeSize } from './units.ts';

/** The path of a bind: it may be one value, or an item of a list. */
function bindPath(frontend: string, index: number, notes: Notes): Path {
  const path = ['frontends', frontend, 'bind'];
  return Array.isArray(valueAt(notes.tree, path)) ? [...path, index] : path;
}

function checkBackend(name: string, wanted: string, notes: Notes): void {
  const backends = Object.keys((valueAt(notes.tree, ['backends']) as object | null | undefined) ?? {});
  if (backends.includes(wanted)) return;
  const meant = suggest(wanted, backends);
  const known = backends.length === 0 ? 'There is no backend yet.' : `There are: ${backends.join(', ')}.`;
  const remedy = meant === null ? known : `Did you mean ${meant}? ${known}`;
  const message = `\`frontends.${name}.default_backend\`: there is no backend {value}`;
  notes.problems.push(problemAt(notes.tree, ['frontends', name, 'default_backend'], 'value', message, remedy));
}

/** One CONNECT could never be read. Reported at the size where one is written, else at the memory. */
function noteTooSmall(name: string, sizeBytes: number, { preread_memory }: RawGlobal, notes: Notes): void {
  const sizes: readonly Path[] = [
    ['frontends', name, 'max_connect_size'],
    ['defaults', 'max_connect_size'],
  ];
  const path = sizes.find(one => isWritten(notes.tree, one)) ?? ['global', 'preread_memory'];
  const memory = writeSize(preread_memory);
  const message = `\`${writePath(path)}\`: a CONNECT may have ${writeSize(sizeBytes)}, and all of them together ${memory}`;
  const remedy = 'Make `global.preread_memory` larger than every `max_connect_size`.';
  notes.problems.push(problemAt(notes.tree, path, 'value', message, remedy));
}

/** One frontend with everything filled in; what does not fit together is noted. */
export function resolveFrontend(
  name: string,
  raw: RawFrontend,
  { global, defaults }: { readonly global: RawGlobal; readonly defaults: RawDefaults },
  notes: Notes,
): FrontendConfig {
  checkBackend(name, raw.default_backend, notes);
  const maxConnectSizeBytes = raw.max_connect_size ?? defaults.max_connect_size;
  if (maxConnectSizeBytes > global.preread_memory) noteTooSmall(name, maxConnectSizeBytes, global, notes);
  return {
    name,
    binds: raw.bind.map(({ label, at }) => ({ label, ...at })),
    defaultBackend: raw.default_backend,
    maxConnectSizeBytes,
    inspectMs: raw.timeout.inspect ?? defaults.timeout.inspect,
    clientMs: raw.timeout.client ?? defaults.timeout.client ?? null,
  };
}

/** No two binds may want one port of one address. */
export function checkBinds(frontends: readonly FrontendConfig[], notes: Notes): void {
  const before: { readonly bind: BindConfig; readonly path: Path }[] = [];
  for (const { name, binds } of frontends) {
    for (const [index, bind] of binds.entries()) {
      const path = bindPath(name, index, notes);
      const first = before.find(other => clashes(other.bind, bind));
      before.push({ bind, path });
      if (first === undefined) continue;
      const message = `\`${writePath(path)}\`: {value} is taken by \`${writePath(first.path)}\``;
      const same = first.bind.label === bind.label;
      const remedy = same ? 'Remove one of them.' : 'Use another port, or listen on one of them only.';
      notes.problems.push(problemAt(notes.tree, path, 'value', message, remedy));
    }
  }
}
