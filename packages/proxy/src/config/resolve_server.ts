import { isWritten, problemAt, writePath } from './locate.ts';
import { type Notes, noteKey, noteValue } from './notes.ts';
import { type Checked, checkFaults, completeCheck, overlay } from './resolve_check.ts';
import { sourceOf } from './resolve_source.ts';
import { resolveServerTls } from './resolve_tls.ts';
import type { Mode, SendProxyConfig, ServerConfig } from './resolved.ts';
import type { RawBackend, RawServer } from './schema/backend.ts';
import type { Path } from './tree.ts';

/** IANA's ports of MQTT, and of MQTT over TLS. */
const MQTT_PORT = 1883;
const MQTT_TLS_PORT = 8883;

/** The backend that a server belongs to. */
interface Owner {
  readonly name: string;
  readonly raw: RawBackend;
  readonly mode: Mode;
}

function sendProxyOf(header: SendProxyConfig | null, path: Path, notes: Notes): SendProxyConfig | null {
  if (header?.version === 1 && header.tlvs.length > 0) {
    const what = 'version 1 of the PROXY protocol is one line of text and has no TLVs';
    noteKey([...path, 'tlvs'], what, 'Write `version: 2`, or remove the key.', notes);
  }
  return header === null ? null : { version: header.version, tlvs: [...new Set(header.tlvs)] };
}

function checkOf(server: RawServer, owner: Owner, path: Path, notes: Notes): ServerConfig['check'] {
  const checked: Checked = { mode: owner.mode, isWebSocket: Boolean(server.websocket) };
  const check = overlay(owner.raw.check, server.check, checked);
  if (check === null) return null;
  for (const fault of checkFaults(check, checked)) {
    const ofServer = [...path, 'check', fault.key];
    const where = isWritten(notes.tree, ofServer) ? ofServer : ['backends', owner.name, 'check', fault.key];
    notes.problems.push(problemAt(notes.tree, where, 'key', `\`${writePath(where)}\`: ${fault.message}`, fault.remedy));
  }
  return completeCheck(check);
}

/** A port that is left out is MQTT's own, where MQTT as such is spoken. */
function portOf(server: RawServer, mode: Mode, path: Path, notes: Notes): number {
  const { port } = server.address;
  if (port !== null) return port;
  if (mode === 'tcp' || server.websocket) {
    const at = isWritten(notes.tree, [...path, 'address']) ? [...path, 'address'] : path;
    const why = mode === 'tcp' ? 'in `mode: tcp`' : 'with `websocket`';
    noteValue(at, `{value} has no port, and ${why} none goes without saying`, 'Write host and port.', notes);
  }
  return server.tls ? MQTT_TLS_PORT : MQTT_PORT;
}

/** One server with everything filled in; what does not fit together is noted. */
export function resolveServer(name: string, server: RawServer, owner: Owner, notes: Notes): ServerConfig {
  const backend = ['backends', owner.name];
  const path = [...backend, 'servers', name];
  const own = server.send_proxy !== undefined;
  const header = own ? (server.send_proxy ?? null) : owner.raw.send_proxy;
  return {
    name,
    host: server.address.host,
    port: portOf(server, owner.mode, path, notes),
    weight: server.weight,
    backup: server.backup,
    maxconn: server.maxconn ?? null,
    source: sourceOf(server, owner.raw.source, path, notes),
    slowstartMs: server.slowstart ?? owner.raw.slowstart,
    sendProxy: sendProxyOf(header, [...(own ? path : backend), 'send_proxy'], notes),
    check: checkOf(server, owner, path, notes),
    tls: server.tls ? resolveServerTls(server.tls, [...path, 'tls'], notes) : null,
    websocket: server.websocket ? { path: server.websocket.path } : null,
  };
}
