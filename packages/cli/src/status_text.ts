import type { Backend, Frontend, Info, Overview, Server, Task, Worker } from './admin/facts.ts';
import { type Column, columns } from './output/columns.ts';
import { clock, count, counted, duration, percent } from './output/numbers.ts';
import type { Paint } from './output/paint.ts';
import { printable } from './output/print.ts';
import { peerLines, roleText } from './peers_text.ts';
import { serverState } from './server_state.ts';

/** What `limpet status` says of a proxy. */
export function statusLines(seen: Overview, paint: Paint): string[] {
  return [
    ...proxyLines(seen, paint),
    ...proxiesLines(seen, paint),
    '',
    ...frontendLines(seen.frontends, paint),
    ...seen.backends.flatMap(backend => ['', ...backendLines(backend, seen.info.at_ms, paint)]),
    ...taskLines(seen),
  ];
}

function proxiesLines(seen: Overview, paint: Paint): string[] {
  const lines = peerLines(seen, paint);
  return lines.length === 0 ? [] : ['', ...lines];
}

/** Those that have ended are of interest for so long. */
const ENDED_MS = 600_000;

function taskLines({ tasks, info: { at_ms: nowMs } }: Overview): string[] {
  const recent = tasks.filter(({ ended_at_ms: endedMs }) => endedMs === null || nowMs - endedMs <= ENDED_MS);
  return recent.length === 0 ? [] : ['', ...recent.map(task => taskLine(task, nowMs))];
}

function proxyLines({ info, workers }: Overview, paint: Paint): string[] {
  const facts: [name: string, value: string][] = [
    ['sessions', sessionsText(info)],
    ['workers', workersText(info, workers, paint)],
    ['store', storeText(info, paint)],
    ['relay', printable(info.relay)],
    ['configuration', printable(info.config_path)],
    ['reload', reloadText(info, paint)],
    ...upgradeFacts(info, paint),
  ];
  const stopping = info.stopping ? `, ${paint('warn', 'stopping')}` : '';
  const up = duration(info.at_ms - info.started_at_ms);
  return [
    `${paint('strong', `limpet ${printable(info.name)}`)} ${info.version}: ${roleText(info)}${stopping}, up ${up}, pid ${info.pid}, Node.js ${info.node}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(13)}  ${value}`),
  ];
}

function sessionsText(info: Info): string {
  const queued = info.queued === 0 ? '' : `, ${count(info.queued)} waiting`;
  return `${count(info.sessions)} of ${count(info.maxconn)} (most ${count(info.sessions_max)}), ${count(info.rate)}/s new${queued}`;
}

function workersText(info: Info, workers: readonly Worker[], paint: Paint): string {
  const ready = workers.filter(({ state }) => state === 'ready').length;
  const others = workers
    .filter(({ state }) => state !== 'ready')
    .map(({ name, state }) => `${printable(name)} ${state}`);
  const text = `${ready} of ${info.workers} ready`;
  return [ready < info.workers ? paint('warn', text) : text, ...others].join(', ');
}

function storeText(info: Info, paint: Paint): string {
  if (info.store === 'memory') return 'memory';
  return info.store_reachable ? 'redis' : paint('bad', 'redis, which does not answer');
}

function reloadText({ last_reload: last, reloads }: Info, paint: Paint): string {
  if (last === null) return 'none since the start';
  const what = `${clock(last.at_ms)}: ${oneLine(last.summary)}`;
  return `${counted(reloads, 'reload')}, last ${last.ok ? what : paint('bad', `${what} (refused)`)}`;
}

function upgradeFacts({ upgrade }: Info, paint: Paint): [string, string][] {
  const facts: [string, string][] = [];
  if (upgrade.successor_pid !== null) facts.push(['upgrade', `being replaced by pid ${upgrade.successor_pid}`]);
  if (upgrade.predecessor_pid !== null) {
    const held = counted(upgrade.predecessor_sessions ?? 0, 'session');
    facts.push(['upgrade', `has replaced pid ${upgrade.predecessor_pid}, which still holds ${held}`]);
  }
  if (upgrade.failure !== null) {
    const what = `${clock(upgrade.failure.at_ms)}: ${oneLine(upgrade.failure.reason)}`;
    facts.push(['upgrade', paint('bad', `${what} (failed)`)]);
  }
  return facts;
}

/** What a proxy says of itself may have lines. */
function oneLine(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, '; '));
}

function frontendLines(frontends: readonly Frontend[], paint: Paint): string[] {
  return frontends.map(({ name, binds, state, backends, sessions, rate }) => {
    const where = binds.map(({ label, port }) => (/:0$/.test(label) ? `${label} (${port})` : label)).join(', ');
    const off = state === 'disabled' ? ` ${paint('warn', 'disabled')}` : '';
    return `${paint('strong', `frontend ${name}`)}${off}: ${where} → ${backends.join(', ')}, ${counted(sessions, 'session')}, ${count(rate)}/s`;
  });
}

const SERVER_COLUMNS: readonly Column[] = [
  { title: '  SERVER' },
  { title: 'STATE' },
  { title: 'SESSIONS', align: 'right' },
  { title: 'SHARE', align: 'right' },
  { title: 'RATE', align: 'right' },
  { title: 'WEIGHT', align: 'right' },
  { title: 'ADDRESS' },
  { title: 'FOR' },
  { title: 'REASON' },
];
const STATE_COLUMN = 1;

function backendLines(backend: Backend, nowMs: number, paint: Paint): string[] {
  const rows = backend.servers.map(server => serverRow(server, backend, nowMs));
  const paintCell = (cell: string, row: number, column: number): string => {
    const server = backend.servers[row];
    return column === STATE_COLUMN && server !== undefined ? paint(serverState(server).tone, cell) : cell;
  };
  return [backendLine(backend, paint), ...columns(SERVER_COLUMNS, rows, paintCell)];
}

function backendLine({ name, balance, stick, sessions }: Backend, paint: Paint): string {
  const table = stick === null ? 'not sticky' : `stick on ${stick.field}, ${entriesText(stick)}`;
  return `${paint('strong', `backend ${name}`)}: ${balance}, ${table}, ${counted(sessions, 'session')}`;
}

/** How many a shared table has, nobody here knows. */
function entriesText({ shared, used, size }: NonNullable<Backend['stick']>): string {
  return shared
    ? `${counted(used, 'entry', 'entries')} seen here (shared table in Redis)`
    : `${count(used)} of ${counted(size, 'entry', 'entries')}`;
}

function serverRow(server: Server, backend: Backend, nowMs: number): string[] {
  const { weight, weight_configured: configured } = server;
  const extra = [server.backup ? 'backup' : '', server.dynamic ? 'added' : ''].filter(word => word !== '');
  return [
    `  ${server.name}`,
    [serverState(server).word, ...extra].join(', '),
    server.maxconn === null ? count(server.sessions) : `${count(server.sessions)}/${count(server.maxconn)}`,
    percent(server.sessions, backend.sessions),
    `${count(server.rate)}/s`,
    weight === configured ? String(weight) : `${weight} (of ${configured})`,
    addressText(server),
    duration(nowMs - server.since_ms),
    reasonText(server),
  ];
}

/** The operator's word comes first, as in the state; a broker that is down is told too. */
function reasonText({ admin, verdict, reason }: Server): string {
  if (admin === 'ready') return printable(reason);
  return verdict === 'down' && admin !== 'maint' ? `set by an operator; ${printable(reason)}` : 'set by an operator';
}

function addressText({ host, address, port }: Server): string {
  const name = host.includes(':') ? `[${host}]` : host;
  if (address === null) return `${name}:${port} (does not resolve)`;
  return address === host ? `${name}:${port}` : `${name}:${port} (${address})`;
}

/** `drain of emqx/emqx2: paused, 1,200 of 3,000 left, 200/s (task 7)`. */
export function taskLine(task: Task, nowMs: number): string {
  const what = task.server === null ? task.backend : `${task.backend}/${task.server}`;
  const pace = task.state === 'running' ? `, ${rateText(task.rate)}` : '';
  const ended = task.ended_at_ms === null ? '' : `, ended ${duration(nowMs - task.ended_at_ms)} ago`;
  return `${task.kind} of ${what}: ${task.state}, ${count(task.moved)} of ${count(task.total)} asked to leave, ${count(task.left)} left${pace}${ended} (task ${task.id})`;
}

/** `200/s`, `0.50/s`; `1/min` where that is rounder. */
export function rateText(rate: number): string {
  if (Number.isInteger(rate)) return `${count(rate)}/s`;
  if (isWhole(rate * 100)) return `${rate.toFixed(2)}/s`;
  if (isWhole(rate * 60)) return `${count(rate * 60)}/min`;
  return isWhole(rate * 3_600) ? `${count(rate * 3_600)}/h` : `${rate.toFixed(rate < 1 ? 4 : 2)}/s`;
}

/** What was divided by 60 is not quite whole again. */
function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-6;
}
