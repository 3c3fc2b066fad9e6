import { isDeepStrictEqual } from 'node:util';
import { bindsOf, type PlacedBind } from './bind_key.ts';
import { Changes, changed, duration, plain, rate, size, type Words } from './changes.ts';
import type { BackendConfig, Config, FrontendConfig, GlobalConfig, ServerConfig, VipConfig } from './resolved.ts';

/** What is different between two configurations. No line holds a secret. */
export interface ConfigDiff {
  /** What changes in place: `server emqx/emqx4 added`, `backend emqx: balance roundrobin → leastconn`. */
  readonly changes: readonly string[];
  /** What cannot, with what to do. */
  readonly needsRestart: readonly string[];
  /** The later one, with the earlier one's values where they cannot change in place. */
  readonly applicable: Config;
}

const RESTART = 'to change it, restart (or SIGUSR2: upgrade without an interruption)';

const GLOBAL: Words<GlobalConfig> = {
  workers: ['workers', plain],
  maxconn: ['maxconn', plain],
  hardStopAfterMs: ['hard_stop_after', duration],
  prereadMemoryBytes: ['preread_memory', size],
  resolveEveryMs: ['resolve_every', duration],
  tls: ['tls', changed],
  runtimeApi: ['runtime_api', changed],
  stats: ['stats', changed],
};

/** What a process takes over once, at its start. */
const GLOBAL_AT_START: Words<GlobalConfig> = {
  name: ['name', plain],
  relay: ['relay', plain],
  cpuMap: ['cpu_map', changed],
  log: ['log', changed],
};

const VIP: Words<VipConfig> = {
  addresses: ['address', (addresses: readonly string[]) => addresses.join(', ')],
  connectRate: ['connect_rate', changed],
  paceForMs: ['connect_rate_for', duration],
};

/** Whoever moves the addresses must follow. */
const VIP_AT_START: Words<VipConfig> = {
  trackFile: ['track_file', plain],
  notifyFifo: ['notify_fifo', plain],
};

const FRONTEND: Words<FrontendConfig> = {
  mode: ['mode', plain],
  defaultBackend: ['default_backend', plain],
  routes: ['routes', changed],
  sniRoutes: ['sni_routes', changed],
  allow: ['allow', changed],
  deny: ['deny', changed],
  maxconn: ['maxconn', plain],
  connRate: ['conn_rate', rate],
  perSource: ['per_source', changed],
  connectRate: ['connect_rate', changed],
  handshakeMs: ['timeout.handshake', duration],
  maxConnectSizeBytes: ['max_connect_size', size],
  inspectMs: ['timeout.inspect', duration],
  clientMs: ['timeout.client', duration],
};

const BACKEND: Words<BackendConfig> = {
  mode: ['mode', plain],
  balance: ['balance', plain],
  stick: ['stick', changed],
  retries: ['retries', plain],
  connectMs: ['timeout.connect', duration],
  connackMs: ['timeout.connack', duration],
  serverMs: ['timeout.server', duration],
  onMarkedDown: ['on_marked_down', plain],
  connectRate: ['connect_rate', changed],
};

const SERVER: Words<ServerConfig> = {
  weight: ['weight', plain],
  backup: ['backup', plain],
  maxconn: ['maxconn', plain],
  source: ['source', changed],
  slowstartMs: ['slowstart', duration],
  sendProxy: ['send_proxy', changed],
  check: ['check', changed],
  tls: ['tls', changed],
  websocket: ['websocket', changed],
};

/** Compares the configuration in use with its successor. */
export function diffConfig(before: Config, after: Config): ConfigDiff {
  const changes = new Changes();
  changes.compare('global', GLOBAL, before.global, after.global);
  const vip = { before: before.global.vip, after: after.global.vip };
  if (vip.before !== null && vip.after !== null) changes.compare('global: vip', VIP, vip.before, vip.after);
  changes.named('frontend', before.frontends, after.frontends, (was, is) => {
    changes.compare(`frontend ${is.name}`, FRONTEND, was, is);
  });
  compareBinds(changes, before, after);
  changes.named('backend', before.backends, after.backends, (was, is) => {
    changes.compare(`backend ${is.name}`, BACKEND, was, is);
    compareServers(changes, was, is);
  });
  const { name, log } = before.global;
  const global = { ...after.global, name, log, vip: applicableVip(before.global.vip, after.global.vip) };
  const applicable = { ...after, global, state: before.state };
  return { changes: changes.lines, needsRestart: atStart(before, after), applicable };
}

/** To be one of a pair, or not, and the two files hold from start to end. */
function applicableVip(before: VipConfig | null, after: VipConfig | null): VipConfig | null {
  if (before === null || after === null) return before;
  return { ...after, trackFile: before.trackFile, notifyFifo: before.notifyFifo };
}

/** Also those of a frontend that came or went: a line for each port. */
function compareBinds(changes: Changes, before: Config, after: Config): void {
  const known = new Map(bindsOf(before).map(bind => [bind.key, bind]));
  const next = new Map(bindsOf(after).map(bind => [bind.key, bind]));
  for (const [key, placed] of known) if (!next.has(key)) changes.add(`${titleOf(placed)} removed`);
  for (const [key, placed] of next) {
    const was = known.get(key);
    if (was === undefined) changes.add(`${titleOf(placed)} added`);
    else if (was.frontend !== placed.frontend) changes.add(`${titleOf(placed)}: from frontend ${was.frontend}`);
    for (const part of ['tls', 'websocket', 'acceptProxy'] as const) {
      if (was === undefined || isDeepStrictEqual(was.bind[part], placed.bind[part])) continue;
      changes.add(`${titleOf(placed)}: ${part === 'acceptProxy' ? 'accept_proxy' : part} changed`);
    }
  }
}

function compareServers(changes: Changes, before: BackendConfig, after: BackendConfig): void {
  const title = (server: ServerConfig): string => `${after.name}/${server.name}`;
  for (const server of before.servers) {
    if (!after.servers.some(({ name }) => name === server.name)) changes.add(`server ${title(server)} removed`);
  }
  for (const server of after.servers) {
    const was = before.servers.find(({ name }) => name === server.name);
    if (was === undefined) {
      changes.add(`server ${title(server)} added: ${addressOf(server)}`);
      continue;
    }
    if (addressOf(was) !== addressOf(server)) {
      changes.add(`server ${title(server)}: address ${addressOf(was)} → ${addressOf(server)}`);
    }
    changes.compare(`server ${title(server)}`, SERVER, was, server);
  }
  const order = (servers: readonly ServerConfig[]): string => servers.map(({ name }) => name).join(' ');
  const isReordered = order(kept(before, after)) !== order(kept(after, before));
  if (isReordered) changes.add(`backend ${after.name}: order of servers changed`);
}

function kept(one: BackendConfig, other: BackendConfig): ServerConfig[] {
  return one.servers.filter(({ name }) => other.servers.some(server => server.name === name));
}

function atStart(before: Config, after: Config): string[] {
  const changes = new Changes();
  changes.compare('global', GLOBAL_AT_START, before.global, after.global);
  const vip = { before: before.global.vip, after: after.global.vip };
  if (vip.before !== null && vip.after !== null) changes.compare('global: vip', VIP_AT_START, vip.before, vip.after);
  else if (vip.before !== vip.after) changes.add(`global: vip ${vip.before === null ? 'added' : 'removed'}`);
  if (before.state.store !== after.state.store) {
    changes.add(`state: store ${before.state.store} → ${after.state.store}`);
  } else if (!isDeepStrictEqual(before.state, after.state)) changes.add('state: redis changed');
  return changes.lines.map(line => `${line}: ${RESTART}`);
}

function titleOf({ frontend, bind }: PlacedBind): string {
  return `frontend ${frontend}: bind ${bind.label}`;
}

function addressOf({ host, port }: ServerConfig): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
