/**
 * `message`: small QoS 0 PUBLISHes through open connections.
 */
import { matureMs, type Publishing } from './crowd.ts';
import type { Transport } from './load.ts';
import { measurePublishing } from './publishing.ts';
import type { RowPlan, Scenario } from './scenarios.ts';
import { plain } from './service.ts';
import type { TargetName } from './target.ts';

export const connections = 500;
export const smokeConnections = 50;
export const pacedPerS = 10_000;
const smokePerS = 1_000;
const batch = 64;

export const messageScenario: Scenario = {
  plans: [
    plan(
      `message, ${pacedPerS}/s`,
      `${pacedPerS} messages of 64 bytes a second, evenly, each in a write of its own, over ${connections} connections in turn, which are some seconds old.`,
      { limpet: 0.95, 'limpet-node': 1.15 },
      { rate: pacedPerS, batch: 1, echo: false },
    ),
    plan(
      'message, saturated',
      `${connections} connections, some seconds old, have one message each under way, which the broker sends back, and the next one follows at once; both directions count.`,
      { limpet: 0.95, 'limpet-node': 1.4 },
      { rate: null, batch: 1, echo: true },
    ),
    plan(
      'message, flood',
      `To the broker as fast as ${connections} connections take them, each in a write of its own: whoever is slower reads more of them at once.`,
      {},
      { rate: null, batch: 1, echo: false },
    ),
    plan(
      `message, flood, ${batch} a write`,
      `The same, ${batch} messages in each write.`,
      {},
      { rate: null, batch, echo: false },
    ),
  ],
};

function plan(
  title: string,
  meaning: string,
  limits: Readonly<Partial<Record<TargetName, number>>>,
  publishing: Omit<Publishing, 'seconds'>,
): RowPlan {
  return {
    title,
    meaning,
    unit: 'message',
    judged: 'cpuUs',
    shown: ['perS', 'loadUs'],
    limits,
    notes: ['nginx: brokers in turn, without stickiness.'],
    targets: ['haproxy', 'nginx', 'limpet', 'limpet-node'],
    service: plain,
    measure: publishingOver('tcp', publishing),
  };
}

/** How a run of messages is measured, whatever their way to the proxy. */
export function publishingOver(transport: Transport, publishing: Omit<Publishing, 'seconds'>): RowPlan['measure'] {
  return ({ target, brokers, name, seconds, isSmoke }) =>
    measurePublishing(
      target,
      brokers,
      {
        ...{ transport, prefix: name },
        connections: isSmoke ? smokeConnections : connections,
        ageMs: isSmoke ? 0 : matureMs,
      },
      { ...publishing, rate: publishing.rate !== null && isSmoke ? smokePerS : publishing.rate, seconds },
    );
}
