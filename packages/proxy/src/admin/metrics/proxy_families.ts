import type { BindFacts, FrontendFacts, PeerFacts, Snapshot, TaskFacts, WorkerFacts } from '../snapshot.ts';
import { total, totals, traffic } from './counted.ts';
import { each, eachOf, type Family, type Subject } from './family.ts';

const MS = 1000;
const flag = (isSo: boolean): number => (isSo ? 1 : 0);

/** Without why: what a label says does not change from one compiler's message to another's. */
const relayKind = (words: string): string => /^\w+/.exec(words)?.[0] ?? '';

const proxy: Subject<Snapshot> = { prefix: 'limpet', labels: [], all: snapshot => [[{}, snapshot]] };

const whole: readonly Family[] = [
  eachOf(
    proxy,
    'gauge',
    'build_info',
    ['name', 'version', 'node', 'relay'],
    'Always 1: which proxy this is.',
    ({ info }) => [[[info.name, info.version, info.node, relayKind(info.relay)], 1]],
  ),
  each(proxy, 'gauge', 'start_time_seconds', 'When it started, Unix time.', ({ info }) => info.startedAtMs / MS),
  each(proxy, 'gauge', 'maxconn', 'Client connections that are allowed at once.', ({ info }) => info.maxconn),
  each(proxy, 'gauge', 'queued', 'Connections and CONNECTs that wait for their turn.', ({ info }) => info.queued),
  each(proxy, 'gauge', 'workers_configured', 'Worker processes, as configured.', ({ info }) => info.workers),
  each(proxy, 'gauge', 'store_reachable', '1: the store is there; Redis may be away.', ({ info }) =>
    flag(info.storeReachable),
  ),
  each(proxy, 'gauge', 'active', '1: active; 0: standby.', ({ info }) => flag(info.role === 'active')),
  each(
    proxy,
    'gauge',
    'role_since_timestamp_seconds',
    'When the role last changed, Unix time; absent where it has not since the start.',
    ({ info }) => (info.roleSinceMs === null ? null : info.roleSinceMs / MS),
  ),
  eachOf(
    proxy,
    'gauge',
    'vip_active',
    ['vip'],
    '1: this proxy is active for that virtual address; 0: it is standby. Absent without one.',
    ({ info, proxies }) =>
      (proxies.find(({ self }) => self)?.vip ?? []).map(vip => [[vip], flag(info.role === 'active')] as const),
  ),
  each(proxy, 'gauge', 'stopping', '1: it takes no more clients.', ({ info }) => flag(info.stopping)),
  each(
    proxy,
    'gauge',
    'predecessor_sessions',
    'Sessions that are still in the process that this one has replaced; absent without one.',
    ({ info }) => info.upgrade.predecessorSessions,
  ),
  each(proxy, 'counter', 'reloads_total', 'Reloads, successful or not.', ({ info }) => info.reloads),
  each(
    proxy,
    'gauge',
    'last_reload_successful',
    '1: the last reload was applied; absent before the first.',
    ({ info }) => (info.lastReload === null ? null : flag(info.lastReload.ok)),
  ),
  each(proxy, 'gauge', 'last_reload_timestamp_seconds', 'When that was, Unix time.', ({ info }) =>
    info.lastReload === null ? null : info.lastReload.atMs / MS,
  ),
  eachOf(
    proxy,
    'gauge',
    'event_loop_delay_max_seconds',
    ['process'],
    'The longest delay of an event loop in the last 30 to 60 seconds: of the primary, and of each worker.',
    ({ info, workers }) => [
      [['primary'], info.loopDelayMaxMs / MS],
      ...workers.map(({ name, loopDelayMaxMs }) => [[name], loopDelayMaxMs / MS] as const),
    ],
  ),
  each(proxy, 'gauge', 'max_fds', 'File descriptors that each process may open.', ({ info }) => info.ulimitN),
];

/** Those that share the state, this one too, as this one sees them. */
const peer: Subject<PeerFacts> = {
  prefix: 'limpet_proxy',
  labels: ['proxy'],
  all: ({ proxies }) => proxies.map(one => [{ proxy: one.name }, one]),
};

const peers: readonly Family[] = [
  each(peer, 'gauge', 'up', '1: this proxy of those that share the state is alive; 0: it is silent.', ({ state }) =>
    flag(state === 'alive'),
  ),
  each(peer, 'gauge', 'active', '1: it is active; 0: standby. Of a silent one: what it was.', ({ role }) =>
    flag(role === 'active'),
  ),
  each(
    peer,
    'gauge',
    'ready',
    '1: it could be the active one, or, without a virtual address, serves; 0: it is not ready. Absent where it is not known.',
    ({ ready }) => (ready === null ? null : flag(ready)),
  ),
  each(
    peer,
    'gauge',
    'current_connections',
    'Its connections to servers; absent where they are not known.',
    ({ conns }) => conns,
  ),
  each(peer, 'gauge', 'beat_age_seconds', 'Since it was last heard of.', ({ beatAgeMs }) => beatAgeMs / MS),
];

const frontend: Subject<FrontendFacts> = {
  prefix: 'limpet_frontend',
  labels: ['frontend'],
  all: ({ frontends }) => frontends.map(one => [{ frontend: one.name }, one]),
};

const VERSIONS = ['3.1', '3.1.1', '5.0'];

/** What happens before there is a broker: frontends and binds count it. */
function arrivals<Thing extends FrontendFacts | BindFacts>(subject: Subject<Thing>): readonly Family[] {
  return [
    total(subject, 'connections', 'Accepted TCP connections.', 'connections'),
    totals(subject, 'connects', ['version'], 'Legal CONNECTs by MQTT version.', 'connect:', VERSIONS),
    totals(subject, 'refused', ['reason'], 'Clients turned away, by the reason that the log gives.', 'refused:'),
    ...traffic(subject),
  ];
}

const frontends: readonly Family[] = [
  each(frontend, 'gauge', 'open', '1: open; 0: disabled by an operator.', ({ state }) => flag(state === 'open')),
  each(frontend, 'gauge', 'maxconn', 'Its limit of connections; absent without one.', ({ maxconn }) => maxconn),
  ...arrivals(frontend),
];

const bind: Subject<BindFacts> = {
  prefix: 'limpet_bind',
  labels: ['frontend', 'bind', 'listen'],
  all: snapshot =>
    snapshot.frontends.flatMap(({ name, binds }) =>
      binds.map(one => [{ frontend: name, bind: one.label, listen: listenOf(one) }, one] as const),
    ),
};

/** Two binds may be written alike (`:0`), but never listen alike. */
function listenOf({ address, port }: BindFacts): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

const worker: Subject<WorkerFacts> = {
  prefix: 'limpet_worker',
  labels: ['worker'],
  all: ({ workers }) => workers.map(one => [{ worker: one.name }, one]),
};

const workers: readonly Family[] = [
  each(worker, 'gauge', 'ready', '1: it accepts clients.', ({ state }) => flag(state === 'ready')),
  each(worker, 'gauge', 'start_time_seconds', 'When it started, Unix time.', ({ startedAtMs }) => startedAtMs / MS),
  total(worker, 'connections', 'Accepted TCP connections.', 'connections'),
  ...traffic(worker),
];

const task: Subject<TaskFacts> = {
  prefix: 'limpet_task',
  labels: ['task', 'kind', 'backend', 'server'],
  all: ({ tasks }) =>
    tasks
      .filter(({ endedAtMs }) => endedAtMs === null)
      .map(one => [{ task: String(one.id), kind: one.kind, backend: one.backend, server: one.server ?? '' }, one]),
};

const tasks: readonly Family[] = [
  each(task, 'gauge', 'sessions_left', 'Sessions that a drain or rebalance has still to move.', ({ left }) => left),
  each(task, 'gauge', 'sessions_moved', 'Sessions that it has asked to leave.', ({ moved }) => moved),
  each(task, 'gauge', 'paused', '1: it is paused.', ({ state }) => flag(state === 'paused')),
];

/** Everything but backends and servers. */
export const PROXY_FAMILIES: readonly Family[] = [
  ...whole,
  ...peers,
  ...frontends,
  ...arrivals(bind),
  ...workers,
  ...tasks,
];
