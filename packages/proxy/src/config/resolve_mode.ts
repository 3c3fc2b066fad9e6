import { isWritten, valueAt } from './locate.ts';
import { type Notes, noteKey, noteValue, warn } from './notes.ts';
import type { BindConfig, Mode } from './resolved.ts';
import type { RawFrontend } from './schema/frontend.ts';
import { suggest } from './suggest.ts';
import type { Path } from './tree.ts';

/** One place where a frontend names a backend. */
export interface Lead {
  readonly frontend: string;
  readonly mode: Mode;
  readonly backend: string;
  readonly path: Path;
}

/** Every place where a backend is named: `default_backend`, `routes` and `sni_routes`. */
export function leadsOf(frontends: Readonly<Record<string, RawFrontend>>): readonly Lead[] {
  return Object.entries(frontends).flatMap(([frontend, { mode, default_backend, routes = [], sni_routes = {} }]) => {
    const lead = (backend: string, ...keys: Path): Lead => {
      return { frontend, mode, backend, path: ['frontends', frontend, ...keys] };
    };
    return [
      lead(default_backend, 'default_backend'),
      ...routes.flatMap(({ backend }, index) =>
        backend === undefined ? [] : [lead(backend, 'routes', index, 'backend')],
      ),
      ...Object.entries(sni_routes).map(([host, backend]) => lead(backend, 'sni_routes', host)),
    ];
  });
}

/** A backend has the mode of the frontends that lead to it; where none does, it is `mqtt`. */
export function modeOf(backend: string, leads: readonly Lead[]): Mode {
  return leads.find(lead => lead.backend === backend)?.mode ?? 'mqtt';
}

/** Every backend that is named must be there, and all that name it must be of one mode. */
export function checkLeads(leads: readonly Lead[], notes: Notes): void {
  const backends = Object.keys((valueAt(notes.tree, ['backends']) as object | null | undefined) ?? {});
  for (const { backend, path, mode, frontend } of leads) {
    if (!backends.includes(backend)) {
      const meant = suggest(backend, backends);
      const known = backends.length === 0 ? 'There is no backend yet.' : `There are: ${backends.join(', ')}.`;
      const remedy = meant === null ? known : `Did you mean ${meant}? ${known}`;
      noteValue(path, 'there is no backend {value}', remedy, notes);
      continue;
    }
    const other = leads.find(one => one.backend === backend);
    if (other === undefined || other.mode === mode) continue;
    const what = `{value} serves frontends of both modes: ${other.frontend} (${other.mode}) and ${frontend} (${mode})`;
    noteValue(path, what, 'Give each mode a backend of its own; they may have the same servers.', notes);
  }
}

const MQTT_FRONTEND: readonly Path[] = [['routes'], ['connect_rate'], ['source', 'connect_rate'], ['max_connect_size']];
const MQTT_BACKEND: readonly Path[] = [['connect_rate'], ['timeout', 'connack'], ['stick', 'clean_sessions']];

function noteForeign(path: Path, mode: Mode, notes: Notes): void {
  if (!isWritten(notes.tree, path)) return;
  const wanted = mode === 'tcp' ? 'mqtt' : 'tcp';
  noteKey(path, `it belongs to \`mode: ${wanted}\`, and this is \`mode: ${mode}\``, 'Remove the key.', notes);
}

/** Keys of a backend that mean nothing in its mode. */
export function checkBackendMode(name: string, servers: readonly string[], mode: Mode, notes: Notes): void {
  if (mode === 'mqtt') return;
  const path = ['backends', name];
  for (const keys of MQTT_BACKEND) noteForeign([...path, ...keys], mode, notes);
  for (const server of servers) noteForeign([...path, 'servers', server, 'websocket'], mode, notes);
}

/** Keys of a frontend that mean nothing in its mode, or with its binds. */
export function checkFrontendMode(
  name: string,
  mode: Mode,
  binds: readonly { readonly bind: BindConfig; readonly path: Path }[],
  notes: Notes,
): void {
  const path = ['frontends', name];
  if (mode === 'mqtt') noteForeign([...path, 'sni_routes'], mode, notes);
  if (mode === 'tcp') {
    for (const keys of MQTT_FRONTEND) noteForeign([...path, ...keys], mode, notes);
    for (const bind of binds) noteForeign([...bind.path, 'websocket'], mode, notes);
  }
  const ofTls = binds.find(({ bind }) => bind.tls !== null);
  if (ofTls !== undefined && mode === 'tcp' && isWritten(notes.tree, [...path, 'sni_routes'])) {
    const what = 'the bind ends TLS, and `sni_routes` passes it on untouched';
    noteKey([...ofTls.path, 'tls'], what, 'Remove one of them, or use two frontends.', notes);
  }
  warnOfIdleTimeouts(
    path,
    mode,
    binds.map(({ bind }) => bind),
    notes,
  );
}

/** Deadlines that nothing in this frontend waits for. */
function warnOfIdleTimeouts(path: Path, mode: Mode, binds: readonly BindConfig[], notes: Notes): void {
  const shakesHands = binds.some(bind => bind.tls !== null || bind.websocket !== null || bind.acceptProxy.length > 0);
  const inspects = mode === 'mqtt' || isWritten(notes.tree, [...path, 'sni_routes']);
  const handshake = [...path, 'timeout', 'handshake'];
  const inspect = [...path, 'timeout', 'inspect'];
  if (!shakesHands && isWritten(notes.tree, handshake)) {
    warn(handshake, 'it has no effect: no bind has `tls`, `websocket` or `accept_proxy`', 'Remove the key.', notes);
  }
  if (!inspects && isWritten(notes.tree, inspect)) {
    warn(
      inspect,
      'it has no effect: in `mode: tcp` only `sni_routes` looks at what a client says',
      'Remove the key.',
      notes,
    );
  }
}
