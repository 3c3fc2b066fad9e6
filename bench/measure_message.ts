/**
 * Measures `message`: small QoS 0 PUBLISHes through open connections.
 */
import { until } from '../packages/proxy/test/kit/condition.ts';
import { type LoadSpec, type MessageCrowd, startCrowd } from './crowd.ts';
import type { Bench, Measure } from './measure.ts';
import type { Target } from './target.ts';

const arrivalMs = 30_000;

/** Counted from before the first message until the last one is at the brokers; the connections are there already. */
export async function measureMessage(bench: Bench, target: Target, load: LoadSpec): Promise<Measure> {
  const crowd: MessageCrowd = startCrowd(bench, target.port, load);
  await crowd.open();
  const arrivedBefore = (await bench.brokers.counts()).publishes;
  const before = target.cpuUs();
  const { messages, elapsedS } = await crowd.publish();
  const missing = async (): Promise<number> => messages - ((await bench.brokers.counts()).publishes - arrivedBefore);
  const lost = await losses(missing, messages);
  const cpuUs = target.cpuUs() - before;
  await crowd.close();
  return { cpuUsPerUnit: cpuUs / messages, unitsPerS: messages / elapsedS, lost };
}

async function losses(missing: () => Promise<number>, messages: number): Promise<string[]> {
  try {
    await until(async () => (await missing()) <= 0, { what: 'all messages', timeoutMs: arrivalMs });
    return [];
  } catch {
    return [`${await missing()} of ${messages} messages did not arrive in ${arrivalMs / 1000} s`];
  }
}
