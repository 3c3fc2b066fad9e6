import type { Snapshot } from '../snapshot.ts';
import { wordedTags } from './columns.ts';
import { connectsOf } from './sums.ts';

interface InfoField {
  /** Its place in HAProxy 2.6, so that the typed output has the same numbers; ours follow. */
  readonly pos: number;
  readonly name: string;
  readonly tags: string;
  readonly type: 'str' | 'u32' | 'u64';
  readonly value: string | number;
}

/** `show info`: `Name: value` lines. */
export function infoText(snapshot: Snapshot): string {
  return infoFields(snapshot)
    .map(({ name, value }) => `${name}: ${value}\n`)
    .join('');
}

/** `show info typed` (HAProxy's management manual, 9.2). */
export function infoTyped(snapshot: Snapshot): string {
  return infoFields(snapshot)
    .map(({ pos, name, tags, type, value }) => `${pos}.${name}.1:${tags}:${type}:${value}\n`)
    .join('');
}

/** `show info json`, on one line. */
export function infoJson(snapshot: Snapshot): string {
  const fields = infoFields(snapshot).map(({ pos, name, tags, type, value }) => ({
    field: { pos, name },
    processNum: 1,
    tags: wordedTags(tags),
    value: { type, value },
  }));
  return `${JSON.stringify(fields)}\n`;
}

/** HAProxy's fields that mean something here, in its order; then our own. */
function infoFields(snapshot: Snapshot): readonly InfoField[] {
  return [...productFields(snapshot), ...loadFields(snapshot), ...ownFields(snapshot)];
}

function field(pos: number, name: string, tags: string, type: InfoField['type'], value: string | number): InfoField {
  return { pos, name, tags, type, value };
}

function productFields({ info, atMs, workers }: Snapshot): readonly InfoField[] {
  const upS = Math.max(0, Math.floor((atMs - info.startedAtMs) / 1000));
  return [
    field(0, 'Name', 'POS', 'str', 'Limpet'),
    field(1, 'Version', 'POS', 'str', info.version),
    // Tools want the line; a release knows its version, not its date.
    field(2, 'Release_date', 'POS', 'str', '-'),
    field(3, 'Nbthread', 'CGS', 'u32', workers.length === 0 ? info.workers : workers.length),
    // All workers are one proxy with one set of numbers, as HAProxy's threads are.
    field(4, 'Nbproc', 'CGS', 'u32', 1),
    field(5, 'Process_num', 'KGP', 'u32', 1),
    field(6, 'Pid', 'SGP', 'u32', info.pid),
    field(7, 'Uptime', 'MDP', 'str', uptime(upS)),
    field(8, 'Uptime_sec', 'MDP', 'u32', upS),
  ];
}

function loadFields({ info, frontends }: Snapshot): readonly InfoField[] {
  const listeners = frontends.reduce((sum, { state, binds }) => sum + (state === 'open' ? binds.length : 0), 0);
  return [
    field(13, 'Ulimit-n', 'CLP', 'u32', info.ulimitN),
    field(15, 'Maxconn', 'CLP', 'u32', info.maxconn),
    field(16, 'Hard_maxconn', 'CLP', 'u32', info.maxconn),
    field(17, 'CurrConns', 'MGP', 'u32', info.sessions),
    field(18, 'CumConns', 'MCP', 'u32', info.counts.connections ?? sumConnections(frontends)),
    field(19, 'CumReq', 'MCP', 'u32', sumConnects(frontends)),
    // No splicing through pipes here; tools that show them want the lines.
    field(23, 'Maxpipes', 'CLP', 'u32', 0),
    field(24, 'PipesUsed', 'MGP', 'u32', 0),
    field(25, 'PipesFree', 'MGP', 'u32', 0),
    field(29, 'SessRate', 'MRP', 'u32', info.rate),
    field(31, 'MaxSessRate', 'MRP', 'u32', info.rateMax),
    // HAProxy has a task a session; its run queue holds those that could go on: here, who waits for a turn.
    field(47, 'Tasks', 'MGP', 'u32', info.sessions),
    field(48, 'Run_queue', 'MGP', 'u32', info.queued),
    field(50, 'node', 'COS', 'str', info.name),
    field(52, 'Stopping', 'MGP', 'u32', info.stopping ? 1 : 0),
    field(53, 'Jobs', 'MGP', 'u32', info.sessions + listeners),
    field(55, 'Listeners', 'MGP', 'u32', listeners),
    field(61, 'TotalBytesOut', 'MGP', 'u64', info.counts.bytes_out ?? 0),
    field(66, 'Build info', 'POS', 'str', `Limpet ${info.version}, Node ${info.node}`),
    field(70, 'Start_time_sec', 'MDP', 'u32', Math.floor(info.startedAtMs / 1000)),
  ];
}

/** Far behind HAProxy's numbers, so that its later ones never meet them. */
const FIRST_OWN = 1000;

function ownFields({ info, workers, tasks, proxies }: Snapshot): readonly InfoField[] {
  const reload = info.lastReload;
  const stamp = reload === null ? '-' : new Date(reload.atMs).toISOString();
  const fields: readonly (readonly [string, string | number])[] = [
    ['Workers', info.workers],
    ['Workers_ready', workers.filter(({ state }) => state === 'ready').length],
    ['Role', info.role],
    ['Store', info.store],
    ['Store_reachable', info.storeReachable ? 1 : 0],
    ['Relay', oneLine(info.relay)],
    ['Config', oneLine(info.configPath)],
    ['Reloads', info.reloads],
    ['Last_reload', stamp],
    ['Last_reload_ok', reload === null || reload.ok ? 1 : 0],
    ['Predecessor_pid', info.upgrade.predecessorPid ?? 0],
    ['Successor_pid', info.upgrade.successorPid ?? 0],
    ['Running_tasks', tasks.filter(({ state }) => state === 'running' || state === 'paused').length],
    ['Predecessor_sessions', info.upgrade.predecessorSessions ?? 0],
    ['Role_since', info.roleSinceMs === null ? '-' : new Date(info.roleSinceMs).toISOString()],
    ['Proxies', proxies.length],
    ['Proxies_alive', proxies.filter(({ state }) => state === 'alive').length],
  ];
  return fields.map(([name, value], index) =>
    field(FIRST_OWN + index, name, 'SGP', typeof value === 'number' ? 'u32' : 'str', value),
  );
}

function sumConnections(frontends: Snapshot['frontends']): number {
  return frontends.reduce((sum, { counts }) => sum + (counts.connections ?? 0), 0);
}

function sumConnects(frontends: Snapshot['frontends']): number {
  return frontends.reduce((sum, { counts }) => sum + connectsOf(counts), 0);
}

/** HAProxy's `0d 0h00m32s`. */
function uptime(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  return `${days}d ${hours}h${two((seconds % 3600) / 60)}m${two(seconds % 60)}s`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
