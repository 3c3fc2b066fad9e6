import { z } from 'zod';
import type { AdminEvent, ReloadReport } from '../control.ts';
import type { HistoryFacts } from '../history.ts';
import type { BindFacts, FrontendFacts, PeerFacts, ProxyFacts, TaskFacts, WorkerFacts } from '../snapshot.ts';
import { count, type Fields, maybe, scopeFields, whenMs } from './scope_schema.ts';
import type { Snake } from './snake.ts';

/** The proxy, and when this was true. */
export type InfoFacts = ProxyFacts & { readonly atMs: number };

const loopDelayMs = z
  .number()
  .meta({ description: 'The longest delay of the event loop of this process in the last 30 to 60 seconds.' });

const infoFields: Fields<InfoFacts> = {
  at_ms: whenMs,
  ...scopeFields,
  name: z.string(),
  version: z.string(),
  node: z.string(),
  pid: count,
  started_at_ms: whenMs,
  workers: count.meta({ description: 'As configured; `/workers` says who runs.' }),
  maxconn: count,
  store: z.enum(['memory', 'redis']),
  store_reachable: z.boolean().meta({ description: 'Whether Redis is there; always true for memory.' }),
  role: z.enum(['active', 'standby']),
  role_since_ms: maybe(whenMs, 'When the role last changed; null: it has not since the start.'),
  stopping: z.boolean(),
  relay: z.string().meta({ description: 'Which relay moves bytes, and why.' }),
  config_path: z.string(),
  reloads: count,
  last_reload: maybe(
    z.strictObject({ at_ms: whenMs, ok: z.boolean(), summary: z.string() }),
    'The last reload; null: there was none.',
  ),
  upgrade: z.strictObject({
    predecessor_pid: maybe(count, 'The process that this one has replaced.'),
    predecessor_sessions: maybe(count, 'Sessions that are still in that process; null: there is none any more.'),
    successor_pid: maybe(count, 'The process that replaces this one.'),
    failure: maybe(
      z.strictObject({ at_ms: whenMs, reason: z.string() }),
      'The last upgrade that failed, so that this process went on; null: there was none.',
    ),
  }),
  ulimit_n: count,
  queued: count.meta({ description: 'Connections and CONNECTs that wait for their turn.' }),
  loop_delay_max_ms: loopDelayMs,
};

export const info: z.ZodType<Snake<InfoFacts>> = z.strictObject(infoFields);

const peerFields: Fields<PeerFacts> = {
  name: z.string(),
  self: z.boolean().meta({ description: 'The one that answers.' }),
  version: z.string(),
  role: z.enum(['active', 'standby']),
  ready: maybe(
    z.boolean(),
    'Whether it could be the active one (without a virtual address: whether it can serve), by the last that was heard; null: not known.',
  ),
  vip: z.array(z.string()).meta({ description: 'Virtual addresses it is one of a pair for; empty: none.' }),
  started_at_ms: z.number().meta({ description: 'Unix time in milliseconds, by its own clock.' }),
  state: z
    .enum(['alive', 'silent'])
    .meta({ description: 'Silent: not heard of for more than 3 s; it counts no more.' }),
  beat_age_ms: z.number().meta({ description: 'Milliseconds since it was last heard of.' }),
  conns: maybe(count, 'Its connections to servers; null: not known (any more).'),
};

export const peer: z.ZodType<Snake<PeerFacts>> = z.strictObject(peerFields);

const bindFields: Fields<BindFacts> = {
  ...scopeFields,
  label: z.string().meta({ description: 'As configured.' }),
  address: z.string().meta({ description: 'Where it really listens.' }),
  port: count,
  tls: z.boolean(),
  websocket: z.boolean(),
};

const frontendFields: Fields<FrontendFacts> = {
  ...scopeFields,
  name: z.string(),
  mode: z.enum(['mqtt', 'tcp']),
  state: z.enum(['open', 'disabled']),
  default_backend: z.string(),
  backends: z.array(z.string()).meta({ description: 'All that it may lead to.' }),
  maxconn: maybe(count, 'Null: no limit of its own.'),
  conn_rate: maybe(z.number(), 'New connections a second; null: no limit.'),
  binds: z.array(z.strictObject(bindFields)),
};

export const frontend: z.ZodType<Snake<FrontendFacts>> = z.strictObject(frontendFields);

const workerFields: Fields<WorkerFacts> = {
  ...scopeFields,
  name: z.string(),
  pid: count,
  state: z.enum(['starting', 'ready', 'draining']),
  started_at_ms: whenMs,
  loop_delay_max_ms: loopDelayMs,
};

export const worker: z.ZodType<Snake<WorkerFacts>> = z.strictObject(workerFields);

const taskFields: Fields<TaskFacts> = {
  id: count,
  kind: z.enum(['drain', 'rebalance']),
  backend: z.string(),
  server: maybe(z.string(), 'Null: all servers of the backend (rebalance).'),
  state: z.enum(['running', 'paused', 'done', 'cancelled']),
  rate: z.number().meta({ description: 'Sessions a second.' }),
  total: count.meta({ description: 'Sessions at the start.' }),
  moved: count.meta({ description: 'Asked to leave so far.' }),
  left: count,
  started_at_ms: whenMs,
  ended_at_ms: maybe(whenMs, 'Null: not yet.'),
};

export const task: z.ZodType<Snake<TaskFacts>> = z.strictObject(taskFields);

const eventFields: Fields<AdminEvent> = {
  id: count.meta({ description: 'Rises by one; ask for what came `after` it.' }),
  at_ms: whenMs,
  level: z.enum(['info', 'warn', 'error']),
  event: z.string(),
  message: z.string(),
};

export const event: z.ZodType<Snake<AdminEvent>> = z.strictObject(eventFields);

const reloadFields: Fields<ReloadReport> = {
  ok: z.boolean(),
  changes: z.array(z.string()),
  needs_restart: z.array(z.string()).meta({ description: 'What is different in the file and stayed as it was.' }),
  warnings: z.array(z.string()),
  problems: z.array(z.string()).meta({ description: 'Why nothing was changed; only where not `ok`.' }),
};

export const reloadReport: z.ZodType<Snake<ReloadReport>> = z.strictObject(reloadFields);

const series = z.array(z.number());
const gappy = z.array(z.number().nullable());

const historyFields: Fields<HistoryFacts> = {
  step_ms: z.literal(10_000),
  at_ms: series.meta({ description: 'Unix time of each sample in milliseconds, oldest first, 360 at most.' }),
  sessions: series,
  connections: series.meta({ description: 'A second, as the next ones.' }),
  connects: series,
  accepted: series,
  refused: series,
  bytes_in: series,
  bytes_out: series,
  connack_p50_ms: gappy,
  connack_p99_ms: gappy,
  ends: z.record(z.string(), series).meta({ description: 'End reason → ends in the step.' }),
  servers: z.record(z.string(), series).meta({ description: '`backend/server` → sessions.' }),
};

export const history: z.ZodType<Snake<HistoryFacts>> = z.strictObject(historyFields);
