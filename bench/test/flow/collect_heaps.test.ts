/**
 * What has Limpet's processes collect their heaps, in a cluster of nothing else: that each of them does, each time.
 */
import { expect, test } from 'vitest';
import { until } from '../../../packages/proxy/test/kit/condition.ts';
import { makeDirectory } from '../../../packages/proxy/test/kit/directory.ts';
import { startProcess } from '../../../packages/proxy/test/kit/process.ts';
import { collectHeaps } from '../../collections.ts';
import { collectFlag } from '../../limpet.ts';
import type { Target } from '../../target.ts';

const preload = new URL('../../collect_heaps.mjs', import.meta.url).href;
const workers = 2;

/** Each process says so whenever what it has let go of is collected. */
const program = `
import cluster from 'node:cluster';
if (cluster.isPrimary) for (let left = ${workers}; left > 0; left -= 1) cluster.fork();
const registry = new FinalizationRegistry(() => { console.log('collected'); letGo(); });
function letGo() { registry.register({}, null); }
letGo();
setInterval(() => {}, 1000);
console.log('up');
`;

test('every process collects its heap whenever it is told to', async () => {
  await using directory = await makeDirectory('collect');
  const file = directory.write('cluster.mjs', program);
  const env = { NODE_OPTIONS: `--import ${preload}`, BENCH_COLLECT: directory.file(collectFlag) };
  await using primary = startProcess(process.execPath, [file], { env });
  const said = (text: string): number => primary.lines.filter(line => line.text === text).length;
  await until(() => said('up') === 1 + workers, { what: 'all processes' });
  for (const times of [1, 2, 3]) {
    const before = said('collected');
    await collectHeaps({ directory } as Target, 1 + workers);
    await until(() => said('collected') >= before + 1 + workers, { what: `collection ${times}` });
  }
  expect(said('collected')).toBeLessThan(5 * (1 + workers));
});
