/**
 * What holds the event loops of Limpet's workers, in a cluster of nothing else: that it holds theirs, and only theirs.
 */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../../../packages/proxy/test/kit/condition.ts';
import { makeDirectory } from '../../../packages/proxy/test/kit/directory.ts';
import { startProcess } from '../../../packages/proxy/test/kit/process.ts';
import { type Blocks, blocksIn, blocksMissed } from '../../blocks.ts';

const preload = new URL('../../block_workers.mjs', import.meta.url).href;
const forMs = 30;
const workers = 2;

/** Each process tells how long its event loop stood still, each time that it was longer than usual. */
const program = `
import cluster from 'node:cluster';
if (cluster.isPrimary) for (let left = ${workers}; left > 0; left -= 1) cluster.fork();
let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  if (nowMs - lastMs >= ${forMs}) console.log('stood', process.pid);
  lastMs = nowMs;
}, 1);
console.log('up');
`;

const total = (blocks: Blocks): number => [...blocks.values()].reduce((sum, count) => sum + count, 0);

test('the event loops of the workers stand still again and again while the flag is there, and not that of the primary', async () => {
  await using directory = await makeDirectory('block');
  const file = directory.write('cluster.mjs', program);
  const env = { NODE_OPTIONS: `--import ${preload}`, BENCH_BLOCK: directory.file('block') };
  await using primary = startProcess(process.execPath, [file], { env });
  const said = (text: string): number => primary.lines.filter(line => line.text === text).length;
  await until(() => said('up') === 1 + workers, { what: 'all processes' });
  await delay(500);
  expect(blocksIn(directory.path)).toEqual(new Map());
  const flag = directory.write('block', '');
  await delay(2_000);
  rmSync(flag);
  const blocks = blocksIn(directory.path);
  expect(blocksMissed(new Map(), blocks, workers, 2)).toEqual([]);
  expect(blocks.has(primary.pid)).toBe(false);
  for (const [pid, count] of blocks)
    await until(() => said(`stood ${pid}`) >= count, { what: `${pid} to have felt it` });
  await delay(500);
  expect(total(blocksIn(directory.path)) - total(blocks)).toBeLessThanOrEqual(workers);
});
