import type { BackendFacts, ServerFacts } from '../snapshot.ts';
import { total, totals, traffic } from './counted.ts';
import { each, eachOf, type Family, type Subject } from './family.ts';
import { eachLatency } from './latency.ts';

const MS = 1000;
const flag = (isSo: boolean): number => (isSo ? 1 : 0);
const HOWS = ['sticky', 'new', 'moved', 'none'];
const STATES: readonly ServerFacts['admin'][] = ['ready', 'drain', 'drain_new', 'maint'];

const backend: Subject<BackendFacts> = {
  prefix: 'limpet_backend',
  labels: ['backend'],
  all: ({ backends }) => backends.map(one => [{ backend: one.name }, one]),
};

const server: Subject<ServerFacts> = {
  prefix: 'limpet_server',
  labels: ['backend', 'server'],
  all: ({ backends }) =>
    backends.flatMap(({ name, servers }) => servers.map(one => [{ backend: name, server: one.name }, one] as const)),
};

/** What backends and servers count alike. */
function brokers<Thing extends BackendFacts | ServerFacts>(subject: Subject<Thing>): readonly Family[] {
  return [
    total(subject, 'picked', 'Times it was picked, first choices and retries.', 'picked'),
    total(subject, 'retries', 'Attempts after the first.', 'retries'),
    total(subject, 'reroutes', 'Clients that went on from here to another server.', 'reroutes'),
    totals(subject, 'failed', ['reason'], 'Attempts at a broker that failed.', 'failed:'),
    totals(subject, 'refused', ['reason'], 'Clients turned away after a server was picked.', 'refused:'),
    totals(
      subject,
      'connacks',
      ['protocol', 'code'],
      'CONNACKs of brokers by MQTT version (3, 5) and code.',
      'connack:',
    ),
    totals(subject, 'stick', ['how'], 'How linked clients found their server.', 'stick:', HOWS),
    total(subject, 'stick_degraded', 'Of these, decided without the shared table.', 'stick:degraded'),
    total(subject, 'checks', 'Health checks that were made.', 'checks'),
    total(subject, 'checks_failed', 'Health checks that failed.', 'checks_failed'),
    total(subject, 'downs', 'Changes to DOWN.', 'downs'),
    eachLatency(subject, 'dial_seconds', 'From the start of an attempt until connected.', ({ connect }) => connect),
    eachLatency(subject, 'connack_seconds', 'From then until the CONNACK was whole.', ({ connack }) => connack),
    ...traffic(subject),
  ];
}

const backends: readonly Family[] = [
  each(backend, 'gauge', 'servers', 'Servers it has.', ({ servers }) => servers.length),
  each(backend, 'gauge', 'usable_servers', 'Servers that new clients may go to.', ({ servers }) => {
    return servers.filter(({ admin, verdict, weight }) => admin === 'ready' && verdict !== 'down' && weight > 0).length;
  }),
  each(
    backend,
    'gauge',
    'stick_entries',
    'Entries of the stick table; of one in Redis those that this proxy has seen lately. Absent without one.',
    ({ stick }) => (stick === null ? null : stick.used),
  ),
  each(
    backend,
    'gauge',
    'stick_size',
    'How many of them there may be; absent where the table is in Redis.',
    ({ stick }) => (stick === null || stick.shared ? null : stick.size),
  ),
  ...brokers(backend),
];

const servers: readonly Family[] = [
  each(server, 'gauge', 'up', '1: up, or not checked; 0: the checks say DOWN.', ({ verdict }) =>
    flag(verdict !== 'down'),
  ),
  eachOf(server, 'gauge', 'admin_state', ['state'], '1 for the state that an operator has put it in.', ({ admin }) =>
    STATES.map(state => [[state], flag(state === admin)]),
  ),
  each(server, 'gauge', 'suspect', '1: it has just kept somebody waiting, others are tried first.', one =>
    flag(one.suspect),
  ),
  each(server, 'gauge', 'weight', 'Its weight now.', ({ weight }) => weight),
  each(
    server,
    'gauge',
    'current_connections',
    'Sessions counted to it, those being dialled too.',
    ({ conns }) => conns,
  ),
  each(server, 'gauge', 'maxconn', 'Its limit of connections; absent without one.', ({ maxconn }) => maxconn),
  each(server, 'gauge', 'last_change_timestamp_seconds', 'When state or verdict last changed, Unix time.', one => {
    return one.sinceMs / MS;
  }),
  each(server, 'counter', 'downtime_seconds_total', 'Time spent DOWN since the start.', one => one.downtimeMs / MS),
  each(server, 'gauge', 'check_duration_seconds', 'How long the last health check took; absent before it.', one =>
    one.lastCheck === null ? null : one.lastCheck.durationMs / MS,
  ),
  ...brokers(server),
];

export const SERVER_FAMILIES: readonly Family[] = [...backends, ...servers];
