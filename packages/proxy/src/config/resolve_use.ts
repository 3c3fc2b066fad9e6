import { valueAt } from './locate.ts';
import { type Notes, noteKey, noteValue } from './notes.ts';
import type { Lead } from './resolve_mode.ts';
import { mayHaveCertificate } from './resolve_routes.ts';
import type { BackendConfig, Config, FrontendConfig } from './resolved.ts';

/** The frontends that lead to a backend. */
function frontendsOf(backend: string, { frontends }: Config, leads: readonly Lead[]): readonly FrontendConfig[] {
  const names = new Set(leads.filter(lead => lead.backend === backend).map(lead => lead.frontend));
  return frontends.filter(frontend => names.has(frontend.name));
}

/** A client without WebSocket has no frames that a WebSocket listener would understand. */
function checkWebSocket({ name, servers }: BackendConfig, frontends: readonly FrontendConfig[], notes: Notes): void {
  const [plain] = frontends.flatMap(frontend =>
    frontend.binds.filter(bind => bind.websocket === null).map(bind => `${bind.label} of ${frontend.name}`),
  );
  if (plain === undefined) return;
  for (const server of servers.filter(one => one.websocket !== null)) {
    const what = `clients of the bind ${plain} speak MQTT without WebSocket, and cannot be sent to this server`;
    const remedy =
      "Name the server's plain MQTT listener, which serves WebSocket clients too, and remove the key; or give the " +
      'WebSocket binds a frontend and a backend of their own.';
    noteKey(['backends', name, 'servers', server.name, 'websocket'], what, remedy, notes);
  }
}

function checkStick({ name, stick }: BackendConfig, frontends: readonly FrontendConfig[], notes: Notes): void {
  if (stick?.field !== 'cert_cn' || frontends.some(({ binds }) => binds.some(mayHaveCertificate))) return;
  const what = 'no bind that leads here asks for certificates, so nobody has a common name';
  noteValue(['backends', name, 'stick', 'on'], what, 'Add `client_ca` to `tls` of a bind.', notes);
}

/** Whether the backends get the clients that they are made for. */
export function checkUse(config: Config, leads: readonly Lead[], notes: Notes): void {
  // Where a frontend could not be read, it may be the one that brings them.
  const written = Object.keys((valueAt(notes.tree, ['frontends']) as object | null | undefined) ?? {});
  if (written.length !== config.frontends.length) return;
  for (const backend of config.backends) {
    const frontends = frontendsOf(backend.name, config, leads);
    if (frontends.length === 0) continue;
    if (backend.mode === 'mqtt') checkWebSocket(backend, frontends, notes);
    checkStick(backend, frontends, notes);
  }
}
