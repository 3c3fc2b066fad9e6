/**
 * The benchmark itself, once and with little load: every scenario runs, with every target, and nothing is lost.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../../packages/proxy/test/kit/directory.ts';
import { startProcess } from '../../../packages/proxy/test/kit/process.ts';
import type { Results } from '../../measure.ts';
import { scenarios } from '../../scenarios.ts';

const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');
const runMs = 170_000;

test('a smoke run measures every scenario, and loses nothing', async () => {
  await using directory = await makeDirectory('smoke');
  const json = directory.file('results.json');
  const args = ['--import', tsx, main, '--smoke', '--json', json];
  await using bench = startProcess(process.execPath, args, { env: { NODE_OPTIONS: '' } });
  expect(await bench.waitForExit(runMs), bench.tail()).toEqual({ code: 0, signal: null });
  const { rows } = JSON.parse(readFileSync(json, 'utf8')) as Results;
  expect([...new Set(rows.map(row => row.scenario))].sort()).toEqual([...scenarios.keys()].sort());
  for (const row of rows) {
    for (const [target, measures] of Object.entries(row.measures)) {
      const values = measures.map(measure => measure.figures[row.judged]);
      expect(values.length, `${row.title}, ${target}`).toBeGreaterThan(0);
      for (const value of values) expect(value, `${row.title}, ${target}`).toEqual(expect.any(Number));
    }
  }
});
