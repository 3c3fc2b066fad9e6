/**
 * `memory`: what an idle connection takes.
 */
import { Crowd } from './crowd.ts';
import { lossesOf } from './load.ts';
import type { Measure } from './measure.ts';
import { keptBytesOfTree, settledBytes } from './memory.ts';
import type { Run, Scenario } from './scenarios.ts';
import { plain } from './service.ts';

/** HAProxy needs two descriptors for each in one process, and 20,000 is what many machines allow. */
const connections = 9_000;
const smokeConnections = 200;
/** Opened and closed first, some times, so that what a proxy makes once is not counted: compiled code, above all. */
const firstConnections = 500;
const firstTimes = 8;
const million = 1e6;
const GiB = 2 ** 30;

export const memoryScenario: Scenario = {
  plans: [
    {
      title: `memory, ${connections} idle`,
      meaning: `How much the private memory of the whole process tree grows for each of ${connections} idle connections (the kernel's sockets are not in it). A new proxy for each run. Limpet's heaps are collected before both readings: how much garbage of the storm V8 leaves to a later day is chance, in both directions. What a million would take is these bytes a million times, on paper: nobody has opened them.`,
      unit: 'connection',
      judged: 'bytes',
      shown: ['gibPerMillion'],
      limits: { limpet: 0.5 },
      notes: [
        'nginx: brokers in turn, without stickiness.',
        'limpet: until V8 has collected, a worker may have some 10 MB more.',
      ],
      targets: ['haproxy', 'nginx', 'limpet', 'limpet-node'],
      service: { ...plain, canCollect: true },
      isFresh: true,
      measure,
    },
  ],
};

async function measure({ target, name, isSmoke }: Run): Promise<Measure> {
  const { port, process } = target;
  const load = { port, transport: 'tcp', prefix: name } as const;
  const count = isSmoke ? smokeConnections : connections;
  for (let time = 0; time < (isSmoke ? 1 : firstTimes); time += 1) {
    await using first = await Crowd.open({ ...load, connections: Math.min(firstConnections, count) });
    await first.close();
  }
  const settled = (): Promise<number> =>
    target.name.startsWith('limpet')
      ? keptBytesOfTree(process.pid)
      : settledBytes(process.pid, isSmoke ? 1 : undefined);
  const before = await settled();
  await using crowd = await Crowd.open({ ...load, connections: count });
  const bytes = ((await settled()) - before) / count;
  const lost = lossesOf(await crowd.close());
  return { figures: { bytes, gibPerMillion: (bytes * million) / GiB }, lost };
}
