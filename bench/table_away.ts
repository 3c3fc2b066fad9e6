/**
 * `redis-away`: what it costs clients that the stick table is half a millisecond away.
 */
import { startRedis } from '../packages/proxy/test/kit/redis.ts';
import { type Brokers, startBrokers } from './brokers.ts';
import { startLimpet } from './limpet.ts';
import type { Measure, Row } from './measure.ts';
import type { Options } from './options.ts';
import { concurrency, measureConnects, returningIds } from './scenario_connect.ts';
import type { Scenario } from './scenarios.ts';
import { plain } from './service.ts';
import { type Distance, pingUs, startDistance } from './table_delay.ts';
import type { Target } from './target.ts';

/** In each direction. */
const delayUs = 250;
const brokerCount = 3;
const leastRate = 0.9;

export const awayScenario: Scenario = { rows: measureAway };

type Place = 'memory' | 'redis' | 'redis-away';
type Places = readonly (readonly [Place, Target])[];

async function measureAway(options: Options): Promise<Row[]> {
  await using redis = await startRedis();
  const port = Number(new URL(redis.url).port);
  await using distance = await startDistance(port, delayUs);
  await using brokers = await startBrokers(brokerCount);
  const start = (redisUrl: string | null): Promise<Target> =>
    startLimpet({ workers: options.workers, brokers: brokers.ports, service: plain, certificate: null, redisUrl });
  const directUs = await pingUs(port);
  const awayUs = await pingUs(distance.port);
  await using memory = await start(null);
  await using near = await start(redis.url);
  await using away = await start(`redis://127.0.0.1:${distance.port}`);
  const places: Places = [
    ['memory', memory],
    ['redis', near],
    ['redis-away', away],
  ];
  const note = `redis-away: a PING takes ${directUs.toFixed(0)} µs directly and ${awayUs.toFixed(0)} µs through the relay that delays it.`;
  const rows: Row[] = [];
  for (const ids of [null, returningIds]) rows.push(await measureRow(options, brokers, places, distance, ids, note));
  return rows;
}

/** The places take turns; the first round only warms up, where there is something to measure. */
async function measureRow(
  { runs, seconds, isSmoke }: Options,
  brokers: Brokers,
  places: Places,
  distance: Distance,
  ids: number | null,
  note: string,
): Promise<Row> {
  const measures: Record<Place, Measure[]> = { memory: [], redis: [], 'redis-away': [] };
  let relayUs = 0;
  let relayed = 0;
  for (let run = isSmoke ? 1 : 0; run <= runs; run += 1) {
    for (const [place, target] of places) {
      const relayBeforeUs = distance.cpuUs();
      const name = `${place}-${ids === null ? 'n' : 'r'}${run}`;
      let accepted = 0;
      const measure = await measureConnects({ target, brokers, name, seconds }, ids, 'tcp', result => {
        accepted = result.accepted;
        return [];
      });
      if (run > 0) measures[place].push(measure);
      if (place !== 'redis-away') continue;
      relayUs += distance.cpuUs() - relayBeforeUs;
      relayed += accepted;
    }
  }
  return {
    scenario: 'redis-away',
    title: ids === null ? 'connect, new clients' : `connect, ${ids} clients returning`,
    meaning: `Limpet with the table in its memory, in a Redis on this host, and in one that is ${(2 * delayUs) / 1000} ms away (there and back). ${concurrency} clients at a time, as many connections as the processors allow: the load, the brokers, redis-server and the relay run on the same ones.`,
    unit: 'connection',
    judged: 'perS',
    by: 'ratio',
    base: 'memory',
    shown: ['cpuUs', 'p50Us', 'p99Us', 'loadUs'],
    limits: { 'redis-away': leastRate },
    atLeast: true,
    notes: [
      note,
      `The relay takes ${(relayUs / relayed).toFixed(1)} µs of CPU a connection; neither that nor redis-server's is in any figure but the rate.`,
    ],
    measures,
  };
}
