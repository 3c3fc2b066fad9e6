/**
 * `latency`: how much later a message comes back through a proxy than without one.
 */
import { Crowd, type CrowdResult, matureMs } from './crowd.ts';
import { lossesOf } from './load.ts';
import type { Measure } from './measure.ts';
import { connections, pacedPerS, smokeConnections } from './scenario_message.ts';
import type { Run, Scenario } from './scenarios.ts';
import { plain } from './service.ts';

/** There and back is two messages: the rate is half of that of `message`. */
const perS = pacedPerS / 2;
const smokePerS = 500;
/** So many times the usual time, up to `longS`: the figure is a difference of two p99. */
const longer = 3;
const longS = 10;

export const latencyScenario: Scenario = {
  plans: [
    {
      title: `latency, ${perS}/s`,
      meaning: `${perS} messages of 64 bytes a second over ${connections} connections that are some seconds old, each sent back by the broker: the way there and back through the proxy, less that without one just before. Each load lasts ${longer} times as long as those of other rows (up to ${longS} s), for the figure is a difference of two p99.`,
      unit: 'message',
      judged: 'addedP99Us',
      shown: ['addedP50Us', 'p50Us', 'p99Us'],
      limits: { limpet: 1.1 },
      notes: ['nginx: brokers in turn, without stickiness.'],
      targets: ['haproxy', 'nginx', 'limpet', 'limpet-node'],
      service: plain,
      measure,
    },
  ],
};

async function measure(run: Run): Promise<Measure> {
  const [port = 0] = run.brokers.ports;
  const direct = await echoes(run, port);
  const through = await echoes(run, run.target.port);
  const { p50Us, p99Us } = through.result;
  return {
    figures: {
      p50Us,
      p99Us,
      addedP50Us: p50Us - direct.result.p50Us,
      addedP99Us: p99Us - direct.result.p99Us,
    },
    lost: [...direct.lost, ...through.lost],
  };
}

interface Echoes {
  readonly result: CrowdResult;
  readonly lost: readonly string[];
}

async function echoes({ name, seconds, isSmoke }: Run, port: number): Promise<Echoes> {
  const count = isSmoke ? smokeConnections : connections;
  const ageMs = isSmoke ? 0 : matureMs;
  await using crowd = await Crowd.open({ port, transport: 'tcp', prefix: name, connections: count, ageMs });
  return await echoesOf(crowd, isSmoke ? smokePerS : perS, isSmoke ? seconds : longerThan(seconds));
}

function longerThan(seconds: number): number {
  return Math.max(seconds, Math.min(seconds * longer, longS));
}

/** Every message has to come back. */
export async function echoesOf(crowd: Crowd, rate: number, seconds: number): Promise<Echoes> {
  const result = await crowd.publish({ rate, seconds, batch: 1, echo: true });
  const missing = result.messages - result.received;
  const lost = [...lossesOf(result.lost), ...(missing === 0 ? [] : [`${missing} messages did not come back`])];
  return { result, lost };
}
