import { isWritten, namesInOrder, problemAt, writePath } from './locate.ts';
import type { Problem } from './problem.ts';
import { checkFaults, completeCheck, overlay } from './resolve_check.ts';
import type { BackendConfig, SendProxyConfig, ServerConfig, StickConfig } from './resolved.ts';
import type { RawBackend, RawServer } from './schema/backend.ts';
import type { RawStick } from './schema/stick.ts';
import type { RawDefaults } from './schema/timeouts.ts';
import type { Path, Tree } from './tree.ts';

/** Where resolving notes what does not fit together. */
export interface Notes {
  readonly tree: Tree;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

function stickOf(stick: RawStick | false): StickConfig | null {
  if (stick === false) return null;
  const { field, match } = stick.on;
  return { field, match, size: stick.size, expireMs: stick.expire, cleanSessions: stick.clean_sessions };
}

function sendProxyOf(header: SendProxyConfig | null, path: Path, notes: Notes): SendProxyConfig | null {
  if (header?.version === 1 && header.tlvs.length > 0) {
    const message = `\`${writePath(path)}.tlvs\`: version 1 of the PROXY protocol is one line of text and has no TLVs`;
    notes.problems.push(
      problemAt(notes.tree, [...path, 'tlvs'], 'key', message, 'Write `version: 2`, or remove the key.'),
    );
  }
  return header === null ? null : { version: header.version, tlvs: [...new Set(header.tlvs)] };
}

function checkOf(raw: RawBackend, server: RawServer, path: Path, notes: Notes): ServerConfig['check'] {
  const check = overlay(raw.check, server.check);
  if (check === null) return null;
  for (const fault of checkFaults(check)) {
    const ofServer = [...path, 'check', fault.key];
    const where = isWritten(notes.tree, ofServer) ? ofServer : [...path.slice(0, 2), 'check', fault.key];
    notes.problems.push(problemAt(notes.tree, where, 'key', `\`${writePath(where)}\`: ${fault.message}`, fault.remedy));
  }
  return completeCheck(check);
}

function serverOf(name: string, raw: RawBackend, server: RawServer, path: Path, notes: Notes): ServerConfig {
  const own = server.send_proxy !== undefined;
  const header = own ? (server.send_proxy ?? null) : raw.send_proxy;
  return {
    name,
    ...server.address,
    weight: server.weight,
    backup: server.backup,
    maxconn: server.maxconn ?? null,
    slowstartMs: server.slowstart ?? raw.slowstart,
    sendProxy: sendProxyOf(header, [...(own ? path : path.slice(0, 2)), 'send_proxy'], notes),
    check: checkOf(raw, server, path, notes),
  };
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
  const name = `\`${writePath(path)}\``;
  if (servers.length === 0) {
    const remedy = 'Add at least one: `broker1: 10.0.0.1:1883`.';
    notes.problems.push(problemAt(notes.tree, path, 'key', `${name}: the backend has no server`, remedy));
  } else if (servers.every(server => server.weight === 0)) {
    const remedy = 'Give one of them a weight of 1 or more.';
    const message = `${name}: every server has weight 0, so no new client is served`;
    notes.warnings.push(problemAt(notes.tree, path, 'key', message, remedy));
  }
  warnOfTwins(servers, path, notes);
}

/** One backend with everything filled in; what does not fit together is noted. */
export function resolveBackend(name: string, raw: RawBackend, defaults: RawDefaults, notes: Notes): BackendConfig {
  const path = ['backends', name, 'servers'];
  const servers = namesInOrder(notes.tree, path, Object.keys(raw.servers)).flatMap(key => {
    const server = raw.servers[key];
    return server === undefined ? [] : serverOf(key, raw, server, [...path, key], notes);
  });
  checkServers(servers, path, notes);
  if (raw.balance === 'hash' && raw.stick === false) {
    const message = `\`backends.${name}.balance\`: hash spreads clients by the stick key, and \`stick: false\` leaves none`;
    const remedy = 'Remove `stick: false`, or write `balance: source`.';
    notes.problems.push(problemAt(notes.tree, ['backends', name, 'balance'], 'value', message, remedy));
  }
  return {
    name,
    balance: raw.balance,
    stick: stickOf(raw.stick),
    retries: raw.retries ?? defaults.retries,
    connectMs: raw.timeout.connect ?? defaults.timeout.connect,
    connackMs: raw.timeout.connack ?? defaults.timeout.connack,
    serverMs: raw.timeout.server ?? defaults.timeout.server ?? null,
    onMarkedDown: raw.on_marked_down,
    servers,
  };
}
