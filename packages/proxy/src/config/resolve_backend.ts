import { isWritten, namesInOrder, problemAt, writePath } from './locate.ts';
import { type Notes, noteKey, noteValue, warn } from './notes.ts';
import { checkBackendMode } from './resolve_mode.ts';
import { resolveServer } from './resolve_server.ts';
import type { BackendConfig, Mode, ServerConfig, StickConfig } from './resolved.ts';
import type { RawBackend } from './schema/backend.ts';
import type { RawStick } from './schema/stick.ts';
import type { RawDefaults } from './schema/timeouts.ts';
import type { Path } from './tree.ts';

/** In `mode: tcp` nothing is known of a client but where it comes from and its certificate; by itself it is not stuck. */
function stickOf(stick: RawStick | false, mode: Mode, path: Path, notes: Notes): StickConfig | null {
  if (stick === false) return null;
  const { match } = stick.on;
  let { field } = stick.on;
  if (mode === 'tcp') {
    if (!isWritten(notes.tree, path)) return null;
    if (!isWritten(notes.tree, [...path, 'on'])) field = 'source';
    if (field === 'client_id' || field === 'username') {
      const what = `in \`mode: tcp\` nobody knows the ${field === 'username' ? 'user name' : 'client id'}`;
      noteKey([...path, 'on'], what, 'Write `source` or `cert_cn`.', notes);
    }
  }
  return { field, match, size: stick.size, expireMs: stick.expire, cleanSessions: stick.clean_sessions };
}

function warnOfTwins(servers: readonly ServerConfig[], path: Path, notes: Notes): void {
  const seen = new Map<string, string>();
  for (const { name, host, port } of servers) {
    const first = seen.get(`${host} ${port}`);
    if (first === undefined) {
      seen.set(`${host} ${port}`, name);
      continue;
    }
    const message = `\`${writePath([...path, name])}\`: this is the address of ${first} too`;
    const remedy = 'Give each server its own address; a larger share is `weight`.';
    notes.warnings.push(problemAt(notes.tree, [...path, name], 'value', message, remedy));
  }
}

function checkServers(servers: readonly ServerConfig[], path: Path, notes: Notes): void {
  if (servers.length === 0) {
    noteKey(path, 'the backend has no server', 'Add at least one: `broker1: 10.0.0.1:1883`.', notes);
  } else if (servers.every(server => server.weight === 0)) {
    warn(
      path,
      'every server has weight 0, so no new client is served',
      'Give one of them a weight of 1 or more.',
      notes,
    );
  }
  warnOfTwins(servers, path, notes);
}

/** One backend with everything filled in; what does not fit together is noted. */
export function resolveBackend(
  name: string,
  raw: RawBackend,
  { defaults, mode }: { readonly defaults: RawDefaults; readonly mode: Mode },
  notes: Notes,
): BackendConfig {
  const path = ['backends', name];
  const names = namesInOrder(notes.tree, [...path, 'servers'], Object.keys(raw.servers));
  checkBackendMode(name, names, mode, notes);
  const servers = names.flatMap(key => {
    const server = raw.servers[key];
    return server === undefined ? [] : resolveServer(key, server, { name, raw, mode }, notes);
  });
  checkServers(servers, [...path, 'servers'], notes);
  const stick = stickOf(raw.stick, mode, [...path, 'stick'], notes);
  if (raw.balance === 'hash' && stick === null) {
    const why = raw.stick === false ? '`stick: false` leaves none' : 'in `mode: tcp` there is none without `stick`';
    const remedy = `${raw.stick === false ? 'Remove `stick: false`' : 'Add `stick`'}, or write \`balance: source\`.`;
    noteValue([...path, 'balance'], `hash spreads clients by the stick key, and ${why}`, remedy, notes);
  }
  return {
    name,
    mode,
    balance: raw.balance,
    stick,
    retries: raw.retries ?? defaults.retries,
    connectMs: raw.timeout.connect ?? defaults.timeout.connect,
    connackMs: raw.timeout.connack ?? defaults.timeout.connack,
    serverMs: raw.timeout.server ?? defaults.timeout.server ?? null,
    onMarkedDown: raw.on_marked_down,
    connectRate: raw.connect_rate ?? null,
    servers,
  };
}
