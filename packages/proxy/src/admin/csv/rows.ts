import { isIPv6 } from 'node:net';
import type { Counts, Histogram } from '../../account/counters.ts';
import { describeCheck } from '../../health/check_status.ts';
import type { BackendFacts, FrontendFacts, ScopeFacts, ServerFacts, Snapshot } from '../snapshot.ts';
import { backendStatus, isUsable, serverStatus } from './status.ts';
import { refusedAtDoor, refusedByRule, refusedForFault, sumOf } from './sums.ts';

/** One row of the statistics. Columns that mean nothing here are absent. */
export interface StatRow {
  readonly kind: 'F' | 'B' | 'S';
  /** The proxy's number: frontends, then backends, from 2 on, in the order of the configuration. */
  readonly iid: number;
  /** The server's number in its backend, from 1 on; 0 for FRONTEND and BACKEND. */
  readonly sid: number;
  readonly proxy: string;
  readonly values: Readonly<Record<string, string | number>>;
}

type StatValues = Record<string, string | number>;

/** The number of the first proxy: in HAProxy 1 is its own (GLOBAL). */
const FIRST_IID = 2;

/** The number of a backend among all proxies, as `show servers state` names it too. */
export function backendIid(snapshot: Snapshot, index: number): number {
  return FIRST_IID + snapshot.frontends.length + index;
}

/** A row a frontend; for each backend one a server, and then its own. */
export function statRows(snapshot: Snapshot): readonly StatRow[] {
  const frontends = snapshot.frontends.map((frontend, index) => frontendRow(snapshot, frontend, FIRST_IID + index));
  const backends = snapshot.backends.flatMap((backend, index) => {
    const iid = backendIid(snapshot, index);
    const servers = backend.servers.map((server, place) => serverRow(snapshot, backend, server, iid, place + 1));
    return [...servers, backendRow(snapshot, backend, iid)];
  });
  return [...frontends, ...backends];
}

function frontendRow(snapshot: Snapshot, frontend: FrontendFacts, iid: number): StatRow {
  const connections = frontend.counts.connections ?? 0;
  const dcon = refusedAtDoor(frontend.counts);
  const values = {
    ...common(frontend.name, 'FRONTEND', iid, 0, 0, frontend),
    slim: frontend.maxconn ?? snapshot.info.maxconn,
    stot: connections - dcon,
    dreq: refusedByRule(frontend.counts),
    dresp: 0,
    ereq: refusedForFault(frontend.counts),
    status: frontend.state === 'open' ? 'OPEN' : 'PAUSED',
    rate_lim: frontend.connRate ?? 0,
    mode: frontend.mode,
    conn_rate: frontend.rate,
    conn_rate_max: frontend.rateMax,
    conn_tot: connections,
    dcon,
  };
  return { kind: 'F', iid, sid: 0, proxy: frontend.name, values };
}

function backendRow(snapshot: Snapshot, backend: BackendFacts, iid: number): StatRow {
  const usable = backend.servers.filter(isUsable);
  const active = usable.filter(server => !server.backup);
  const backups = usable.filter(server => server.backup);
  const bearing = active.length > 0 ? active : backups;
  const weight = bearing.reduce((sum, server) => sum + server.weight, 0);
  const measured = common(backend.name, 'BACKEND', iid, 0, 1, backend);
  addTowardsBroker(measured, backend.counts, backend.connect, backend.connack);
  const values = {
    ...measured,
    dreq: refusedByRule(backend.counts),
    dresp: 0,
    status: backendStatus(backend),
    weight,
    uweight: weight,
    act: active.length,
    bck: backups.length,
    mode: backend.mode,
    algo: backend.balance,
    ...(usable.length === 0 ? downFor(snapshot, backend) : {}),
  };
  return { kind: 'B', iid, sid: 0, proxy: backend.name, values };
}

/** A backend is down since its last server is. */
function downFor(snapshot: Snapshot, backend: BackendFacts): Record<string, number> {
  const sinceMs = Math.max(0, ...backend.servers.map(server => server.sinceMs));
  return backend.servers.length === 0 ? {} : { lastchg: seconds(snapshot.atMs - sinceMs) };
}

/** Its values are put down one by one: 200 such rows put together by spreading took 12 ms of the loop that serves clients. */
function serverRow(snapshot: Snapshot, backend: BackendFacts, server: ServerFacts, iid: number, sid: number): StatRow {
  const values: StatValues = common(backend.name, server.name, iid, sid, 2, server);
  addTowardsBroker(values, server.counts, server.connect, server.connack);
  if (server.maxconn !== null) values.slim = server.maxconn;
  values.dresp = 0;
  values.status = serverStatus(server);
  values.weight = server.weight;
  values.act = server.backup ? 0 : 1;
  values.bck = server.backup ? 1 : 0;
  values.lastchg = seconds(snapshot.atMs - server.sinceMs);
  if (server.verdict !== 'no_check') addChecks(values, server);
  values.addr = addressOf(server);
  values.mode = backend.mode;
  values.used_conn_cur = server.conns;
  values.uweight = server.weight;
  return { kind: 'S', iid, sid, proxy: backend.name, values };
}

function common(pxname: string, svname: string, iid: number, sid: number, type: number, scope: ScopeFacts): StatValues {
  const values: StatValues = {
    pxname,
    svname,
    scur: scope.sessions,
    smax: scope.sessionsMax,
    stot: scope.counts.sessions ?? 0,
    bin: scope.counts.bytes_in ?? 0,
    bout: scope.counts.bytes_out ?? 0,
    pid: 1,
    iid,
    sid,
    type,
    rate: scope.rate,
    rate_max: scope.rateMax,
    '-': '-',
  };
  if (type === 0) return values;
  values.qcur = 0;
  values.qmax = 0;
  values.qtime = 0;
  return values;
}

/** What backends and servers have in common. The average times are those of all clients since the start. */
function addTowardsBroker(values: StatValues, counts: Counts, connect: Histogram, connack: Histogram): void {
  values.econ = sumOf(counts, ['failed:dial', 'failed:local']);
  values.eresp = sumOf(counts, ['failed:connack_timeout', 'failed:closed', 'failed:garbage', 'end:server_reset']);
  // A second attempt never goes to the same server: HAProxy calls that a redispatch, and not a retry.
  values.wretr = 0;
  values.wredis = counts.reroutes ?? 0;
  // Who returned was not balanced.
  values.lbtot = Math.max(0, (counts.picked ?? 0) - (counts['stick:sticky'] ?? 0));
  values.cli_abrt = counts['end:client_reset'] ?? 0;
  values.srv_abrt = counts['end:server_reset'] ?? 0;
  values.ctime = mean(connect);
  values.rtime = mean(connack);
  values.connect = counts.picked ?? 0;
}

/** Health checks: absent where there are none; the last result is absent in maint, as nobody asks then. */
function addChecks(values: StatValues, { counts, lastCheck, downtimeMs, admin }: ServerFacts): void {
  values.chkfail = counts.checks_failed ?? 0;
  values.chkdown = counts.downs ?? 0;
  values.downtime = seconds(downtimeMs);
  if (lastCheck === null || admin === 'maint') return;
  values.check_status = lastCheck.status;
  if (lastCheck.code !== null) values.check_code = lastCheck.code;
  values.check_duration = Math.round(lastCheck.durationMs);
  values.last_chk = lastCheck.info;
  values.check_desc = describeCheck({ status: lastCheck.status, code: null, info: '' });
}

function mean({ sumMs, count }: Histogram): number {
  return count === 0 ? 0 : Math.round(sumMs / count);
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

/** `address:port`, brackets around IPv6; the name as configured while it does not resolve. */
export function addressOf(server: ServerFacts): string {
  const host = server.address ?? server.host;
  return isIPv6(host) ? `[${host}]:${server.port}` : `${host}:${server.port}`;
}
