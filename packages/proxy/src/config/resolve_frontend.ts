import type { Listen } from './check_listens.ts';
import { isWritten } from './locate.ts';
import { type Notes, noteValue } from './notes.ts';
import { bindPath, resolveBind } from './resolve_bind.ts';
import { checkFrontendMode } from './resolve_mode.ts';
import { resolveRoutes, resolveSniRoutes } from './resolve_routes.ts';
import type { FrontendConfig, GlobalConfig } from './resolved.ts';
import type { RawFrontend } from './schema/frontend.ts';
import type { RawDefaults } from './schema/timeouts.ts';
import type { Path } from './tree.ts';
import { writeSize } from './units.ts';

/** One CONNECT could never be read. Reported at the size where one is written, else at the memory. */
function checkSize(name: string, sizeBytes: number, { prereadMemoryBytes, workers }: GlobalConfig, notes: Notes): void {
  if (sizeBytes <= Math.floor(prereadMemoryBytes / workers)) return;
  const sizes: readonly Path[] = [
    ['frontends', name, 'max_connect_size'],
    ['defaults', 'max_connect_size'],
  ];
  const path = sizes.find(one => isWritten(notes.tree, one)) ?? ['global', 'preread_memory'];
  const memory = writeSize(prereadMemoryBytes);
  const share = workers === 1 ? `all of them together ${memory}` : `${workers} workers share ${memory}`;
  const least = `Make \`global.preread_memory\` ${writeSize(sizeBytes * workers)} at least`;
  const remedy = `${least}: \`max_connect_size\` times the number of workers.`;
  noteValue(path, `a CONNECT may have ${writeSize(sizeBytes)}, and ${share}`, remedy, notes);
}

/** One frontend with everything filled in; what does not fit together is noted. */
export function resolveFrontend(
  name: string,
  raw: RawFrontend,
  { global, defaults }: { readonly global: GlobalConfig; readonly defaults: RawDefaults },
  notes: Notes,
): FrontendConfig {
  const path = ['frontends', name];
  const maxConnectSizeBytes = raw.max_connect_size ?? defaults.max_connect_size;
  checkSize(name, maxConnectSizeBytes, global, notes);
  const placed = raw.bind.map((bind, index) => {
    const at = bindPath(name, index, notes);
    return { bind: resolveBind(bind, at, notes), path: at };
  });
  checkFrontendMode(name, raw.mode, placed, notes);
  const binds = placed.map(({ bind }) => bind);
  return {
    name,
    mode: raw.mode,
    binds,
    defaultBackend: raw.default_backend,
    routes: resolveRoutes(raw.routes ?? [], [...path, 'routes'], binds, notes),
    sniRoutes: resolveSniRoutes(raw.sni_routes ?? {}, [...path, 'sni_routes'], notes),
    allow: [...new Set(raw.allow)],
    deny: [...new Set(raw.deny)],
    maxconn: raw.maxconn ?? null,
    connRate: raw.conn_rate ?? null,
    perSource: raw.source,
    connectRate: raw.connect_rate ?? null,
    handshakeMs: raw.timeout.handshake ?? defaults.timeout.handshake,
    maxConnectSizeBytes,
    inspectMs: raw.timeout.inspect ?? defaults.timeout.inspect,
    clientMs: raw.timeout.client ?? defaults.timeout.client ?? null,
  };
}

/** The binds of all frontends, and where each stands. */
export function listensOf(frontends: readonly FrontendConfig[], notes: Notes): readonly Listen[] {
  return frontends.flatMap(({ name, binds }) =>
    binds.map((bind, index) => {
      const place = bindPath(name, index, notes);
      const address = [...place, 'address'];
      return { at: bind, path: isWritten(notes.tree, address) ? address : place };
    }),
  );
}
