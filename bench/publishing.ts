/**
 * Messages through open connections, counted to the last one.
 */
import type { Brokers } from './brokers.ts';
import { startCost } from './cost.ts';
import { Crowd, type CrowdLoad, type CrowdResult, type Publishing } from './crowd.ts';
import { lossesOf } from './load.ts';
import type { Figure, Measure } from './measure.ts';
import type { Target } from './target.ts';

/** A run of `crowd`, with what it cost and what of it did not arrive. */
interface Passage {
  readonly result: CrowdResult;
  readonly cost: Partial<Record<Figure, number>>;
  readonly lost: readonly string[];
}

/**
 * Counted from before the first message until the last one was acknowledged; the connections are there already. Messages
 * that the brokers send back count as those that go there.
 */
export async function measurePublishing(
  target: Target,
  brokers: Brokers,
  load: Omit<CrowdLoad, 'port'>,
  publishing: Publishing,
): Promise<Measure> {
  await using crowd = await Crowd.open({ ...load, port: target.port });
  const messages = (result: CrowdResult): number => result.messages + result.received;
  const { result, cost, lost } = await passage(target, brokers, crowd, () => crowd.publish(publishing), messages);
  const unanswered = publishing.echo ? result.messages - result.received : 0;
  return {
    figures: { ...cost, perS: (messages(result) / result.elapsedUs) * 1e6 },
    lost: [
      ...lost,
      ...(unanswered === 0 ? [] : [`${unanswered} messages did not come back`]),
      ...lossesOf(await crowd.close()),
    ],
  };
}

/** Has a crowd do its work, and holds what the brokers have counted against it. `units`: what of it the cost is divided by. */
export async function passage(
  target: Target,
  brokers: Brokers,
  crowd: Crowd,
  work: () => Promise<CrowdResult>,
  units: (result: CrowdResult) => number,
): Promise<Passage> {
  const before = await brokers.counts();
  const costSoFar = startCost(target, brokers, () => crowd.cpuUs());
  const result = await work();
  const cost = costSoFar.per(units(result));
  const after = await brokers.counts();
  const missing = result.messages - (after.publishes - before.publishes);
  const disorder = result.disorder + after.disorder - before.disorder;
  const lost = lossesOf(result.lost);
  if (missing !== 0) lost.push(`${missing} of ${result.messages} packets did not arrive`);
  if (disorder !== 0) lost.push(`${disorder} packets came out of their order`);
  return { result, cost, lost };
}
