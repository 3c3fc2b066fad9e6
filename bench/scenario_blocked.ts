/**
 * `blocked`: relayed messages while the event loops of all workers stand still again and again.
 */
import { rmSync } from 'node:fs';
import { blocksIn, blocksMissed } from './blocks.ts';
import { Crowd, matureMs } from './crowd.ts';
import { blockFlag } from './limpet.ts';
import type { Measure } from './measure.ts';
import { echoesOf } from './scenario_latency.ts';
import type { Run, Scenario } from './scenarios.ts';
import { plain } from './service.ts';

const connections = 100;
const perS = 2_000;
/** Long enough for some blocks. */
const smokeSeconds = 1;

export const blockedScenario: Scenario = {
  plans: [
    {
      title: 'blocked event loop',
      meaning: `${perS} messages a second, sent back by the broker, through connections that are some seconds old, while the event loop of each worker stands still for 30 ms every 200 ms (each worker's are counted): how many times the p99 of when it does not.`,
      unit: 'message',
      judged: 'times',
      by: 'value',
      shown: ['p99Us', 'quietP99Us'],
      limits: { limpet: 2 },
      targets: ['limpet', 'limpet-node'],
      service: { ...plain, canBlock: true },
      measure,
    },
  ],
};

async function measure({ target, name, seconds: fullSeconds, workers, isSmoke }: Run): Promise<Measure> {
  const seconds = isSmoke ? smokeSeconds : fullSeconds;
  const ageMs = isSmoke ? 0 : matureMs;
  await using crowd = await Crowd.open({ port: target.port, transport: 'tcp', prefix: name, connections, ageMs });
  const quiet = await echoesOf(crowd, perS, seconds);
  const { path } = target.directory;
  const before = blocksIn(path);
  const flag = target.directory.write(blockFlag, '');
  try {
    const blocked = await echoesOf(crowd, perS, seconds);
    const missed = blocksMissed(before, blocksIn(path), workers, seconds);
    const quietP99Us = quiet.result.p99Us;
    const { p99Us } = blocked.result;
    await crowd.close();
    return {
      figures: { p99Us, quietP99Us, times: p99Us / quietP99Us },
      lost: [...quiet.lost, ...blocked.lost, ...missed],
    };
  } finally {
    rmSync(flag);
  }
}
