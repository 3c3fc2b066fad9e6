import { valueAt } from './locate.ts';
import { type Notes, warn } from './notes.ts';
import { resolveBindTls } from './resolve_tls.ts';
import type { BindConfig } from './resolved.ts';
import type { RawBind } from './schema/bind.ts';
import type { Path } from './tree.ts';

/** The path of a bind: it may be one value, or an item of a list. */
export function bindPath(frontend: string, index: number, notes: Notes): Path {
  const path = ['frontends', frontend, 'bind'];
  return Array.isArray(valueAt(notes.tree, path)) ? [...path, index] : path;
}

/** One bind with everything filled in. */
export function resolveBind(raw: RawBind, path: Path, notes: Notes): BindConfig {
  const { websocket } = raw;
  if (raw.tls !== undefined && websocket && raw.tls.alpn.length > 0 && !raw.tls.alpn.includes('http/1.1')) {
    const what = 'browsers ask for http/1.1, which it does not have, and cannot connect';
    warn([...path, 'tls', 'alpn'], what, 'Add http/1.1, or remove the key.', notes);
  }
  return {
    label: raw.address.label,
    ...raw.address.at,
    acceptProxy: [...new Set(raw.accept_proxy)],
    tls: raw.tls === undefined ? null : resolveBindTls(raw.tls, [...path, 'tls'], notes),
    websocket: websocket
      ? {
          paths: [...new Set(websocket.path)],
          origins: websocket.origins === undefined ? null : [...new Set(websocket.origins)],
          trustForwarded: [...new Set(websocket.trust_forwarded)],
          idleMs: websocket.idle,
        }
      : null,
  };
}
