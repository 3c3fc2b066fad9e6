/**
 * `connect`: CONNECT to CONNACK to the end, sticky, with logs.
 */
import { until } from '../packages/proxy/test/kit/condition.ts';
import { type ConnectResult, runConnects } from './connects.ts';
import { startCost } from './cost.ts';
import { lossesOf, type Transport } from './load.ts';
import type { Measure } from './measure.ts';
import type { RowPlan, Run, Scenario } from './scenarios.ts';
import { plain, type Service } from './service.ts';
import type { Target } from './target.ts';

/** Clients at a time. */
export const concurrency = 64;
/** Few enough for the stick tables (100k) and for one second to see each of them more than once. */
export const returningIds = 2000;
/** Connections that may stay at the brokers: the proxies' health checks come and go. */
const checks = 20;
/** HAProxy drops a line when both of its threads want to write at the same moment (`DroppedLogs` of `show info`). */
const leastLogged = 0.95;

const withRedis: Service = { ...plain, table: 'redis' };

export const connectScenario: Scenario = {
  plans: [
    plan('new clients', plain, null),
    plan(`${returningIds} clients returning`, plain, returningIds),
    plan('new clients, Redis', withRedis, null),
    plan(`${returningIds} clients returning, Redis`, withRedis, returningIds),
  ],
};

function plan(title: string, service: Service, ids: number | null): RowPlan {
  const isRedis = service.table === 'redis';
  return {
    title: `connect, ${title}`,
    meaning: `Dial, CONNECT, CONNACK, DISCONNECT, ${concurrency} clients at a time; ${ids === null ? 'every client id is a new one' : 'the stick table knows the client ids'}${isRedis ? ", and Limpet's table is in Redis (whose CPU is not counted)" : ''}.`,
    unit: 'connection',
    judged: 'cpuUs',
    shown: ['perS', 'p50Us', 'p99Us', 'loadUs'],
    limits: isRedis ? {} : { limpet: 1.15, 'limpet-node': 1.8 },
    notes: isRedis ? ['haproxy: its table is in its own memory.'] : ['nginx: brokers in turn, without stickiness.'],
    targets: isRedis ? ['haproxy', 'limpet', 'limpet-node'] : ['haproxy', 'nginx', 'limpet', 'limpet-node'],
    service,
    measure: run => measureConnects(run, ids),
  };
}

/**
 * Counted from before the first connection until the last one is gone at the brokers and all are in the log.
 * `complaints`: what is wrong with the result besides, in words.
 */
export async function measureConnects(
  { target, brokers, name, seconds }: Pick<Run, 'target' | 'brokers' | 'name' | 'seconds'>,
  ids: number | null,
  transport: Transport = 'tcp',
  complaints: (result: ConnectResult) => readonly string[] = () => [],
): Promise<Measure> {
  const prefix = ids === null ? name : 'returning';
  const load = { port: target.port, transport, prefix, ids, seconds, concurrency, rate: null };
  const loggedBefore = target.logLines();
  let loadCpuUs = 0;
  const cost = startCost(target, brokers, () => loadCpuUs);
  const result = await runConnects(load);
  loadCpuUs = result.cpuUs;
  await brokers.settled(checks);
  await logged(target, loggedBefore, result.accepted);
  const { accepted, elapsedUs, p50Us, p99Us } = result;
  const losses = [...lossesOf(result.lost), ...complaints(result)];
  return {
    figures: { ...cost.per(accepted), perS: (accepted / elapsedUs) * 1e6, p50Us, p99Us },
    lost: accepted === 0 ? ['no connection was accepted', ...losses] : losses,
  };
}

async function logged(target: Target, before: number, accepted: number): Promise<void> {
  await until(() => target.logLines() - before >= accepted * leastLogged, {
    what: `the log of ${target.name} to tell of (nearly) every connection`,
    seen: () => `${target.logLines() - before} lines, ${accepted} connections`,
  });
}
