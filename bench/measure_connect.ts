/**
 * Measures `connect`: CONNECT to CONNACK to the end, sticky, with logs.
 */
import { until } from '../packages/proxy/test/kit/condition.ts';
import type { ConnectLoad, ConnectResult } from './load_connect.ts';
import type { Bench, Measure } from './measure.ts';
import type { Target } from './target.ts';

const file = new URL('load_connect.ts', import.meta.url).href;
/** Connections that may stay at the brokers: the proxies' health checks come and go. */
const checks = 12;
/** HAProxy drops a line when both of its threads want to write at the same moment (`DroppedLogs` of `show info`). */
const leastLogged = 0.99;

/** Counted from before the first connection until the last one is gone at the brokers and all are in the log. */
export async function measureConnect(bench: Bench, target: Target, load: Omit<ConnectLoad, 'port'>): Promise<Measure> {
  const before = target.cpuUs();
  const loggedBefore = target.logLines();
  const results = await Promise.all(
    Array.from({ length: bench.threads }, (_, thread): Promise<ConnectResult> => {
      const task: ConnectLoad = { ...load, port: target.port, prefix: `${load.prefix}-${thread}` };
      return bench.pool.run(task, { filename: file });
    }),
  );
  const accepted = results.reduce((sum, result) => sum + result.accepted, 0);
  const logged = (): number => target.logLines() - loggedBefore;
  await bench.brokers.settled(checks);
  await until(() => logged() >= accepted * leastLogged, {
    what: `the log of ${target.name} to tell of (nearly) every connection`,
    seen: () => `${logged()} lines, ${accepted} connections`,
  });
  return {
    cpuUsPerUnit: (target.cpuUs() - before) / accepted,
    unitsPerS: accepted / Math.max(...results.map(result => result.elapsedS)),
    lost: accepted === 0 ? ['no connection was accepted', ...losses(results)] : losses(results),
  };
}

function losses(results: readonly ConnectResult[]): string[] {
  return results.flatMap(result => Object.entries(result.lost).map(([reason, count]) => `${count} × ${reason}`));
}
