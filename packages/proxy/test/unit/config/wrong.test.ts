import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { formatProblem, loadConfig } from '../../../src/config/load.ts';

/** Each `x.yaml` is wrong in several ways, and `x.txt` beside it is all that an operator is told. */
const FOLDER = fileURLToPath(new URL('wrong/', import.meta.url));
const ENV = { REDIS_PASSWORD: 'hunter2', WEIGHT: 'hunter2', CERTS: '/hunter2' };
const NAMES = readdirSync(FOLDER)
  .filter(name => name.endsWith('.yaml'))
  .map(name => name.slice(0, -'.yaml'.length));

test('there are ten wrong files at least', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(10);
});

test.each(NAMES)('%s.yaml: every problem with file, line, column, and what would be right', name => {
  const loaded = loadConfig(`${FOLDER}${name}.yaml`, ENV);
  const told = loaded.ok ? '' : loaded.problems.map(problem => `${formatProblem(problem)}\n`).join('');
  expect(told.replaceAll(FOLDER, '')).toBe(readFileSync(`${FOLDER}${name}.txt`, 'utf8'));
});
