/**
 * `bulk`: PUBLISHes of 64 KB, as fast as a few connections take them.
 */
import { Crowd, type CrowdResult } from './crowd.ts';
import { lossesOf, type Transport } from './load.ts';
import type { Measure } from './measure.ts';
import { passage } from './publishing.ts';
import type { RowPlan, Run, Scenario } from './scenarios.ts';
import { plain } from './service.ts';

const connections = 4;
const packetBytes = 65_536;
export const GB = 1e9;
/** Of one run; some seconds of CPU. */
const runBytes = 4 * GB;
const smokeBytes = 20_000_000;

export const bulkScenario: Scenario = {
  plans: [plan('upload', 'from clients to brokers'), plan('download', 'from brokers to clients')],
};

function plan(direction: 'upload' | 'download', way: string): RowPlan {
  return {
    title: `bulk, ${direction}`,
    meaning: `${runBytes / GB} GB ${way}, in writes of 64 KB over ${connections} connections.`,
    unit: 'GB',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    limits: { limpet: 0.65 },
    others: [{ base: 'haproxy-64k', limits: { limpet: 1 } }],
    notes: ['haproxy-64k: with tune.bufsize 65536.', 'nginx: brokers in turn, without stickiness.'],
    targets: ['haproxy', 'haproxy-64k', 'nginx', 'limpet', 'limpet-node'],
    service: plain,
    measure: run => measureBulk(run, direction, 'tcp', runBytes),
  };
}

/** `fullBytes`: of a run that is no smoke test. */
export async function measureBulk(
  run: Run,
  direction: 'upload' | 'download',
  transport: Transport,
  fullBytes: number,
): Promise<Measure> {
  const { target, brokers, name, isSmoke } = run;
  const bytes = isSmoke ? smokeBytes : fullBytes;
  await using crowd = await Crowd.open({ port: target.port, transport, prefix: name, connections });
  const gigabytes = (result: CrowdResult): number => (packetsOf(result, direction) * packetBytes) / GB;
  const { result, cost, lost } = await passage(target, brokers, crowd, () => crowd[direction](bytes), gigabytes);
  const wanted = Math.floor(bytes / connections / packetBytes) * connections;
  const missing = wanted - packetsOf(result, direction);
  return {
    figures: { ...cost, perS: (gigabytes(result) / result.elapsedUs) * 1e6 },
    lost: [
      ...lost,
      ...(missing === 0 ? [] : [`${missing} of ${wanted} packets did not arrive`]),
      ...lossesOf(await crowd.close()),
    ],
  };
}

/** Downloads are asked for by one message of each connection. */
function packetsOf(result: CrowdResult, direction: 'upload' | 'download'): number {
  return direction === 'upload' ? result.messages : result.received;
}
