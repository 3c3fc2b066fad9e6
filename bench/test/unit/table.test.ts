import { expect, test } from 'vitest';
import type { Measure, Row } from '../../measure.ts';
import { tableOf } from '../../table.ts';

const cpu = (...values: number[]): Measure[] => values.map(cpuUs => ({ figures: { cpuUs, perS: 1000 }, lost: [] }));

const row: Row = {
  scenario: 'bulk',
  title: 'bulk',
  meaning: '',
  unit: 'GB',
  judged: 'cpuUs',
  by: 'ratio',
  base: 'haproxy',
  shown: ['perS', 'p99Us'],
  limits: { limpet: 0.65 },
  atLeast: false,
  others: [{ base: 'haproxy-64k', limits: { limpet: 1 } }],
  notes: [],
  measures: { haproxy: cpu(200, 400), 'haproxy-64k': cpu(100, 100), nginx: [], limpet: cpu(140, 160) },
};

const cells = (): string[][] =>
  tableOf([row])
    .split('\n')
    .map(line => line.split(/ {3,}/));

test('a line for each target, with ratios run by run, and one for each further base that it has a limit to', () => {
  expect(cells().slice(1)).toEqual([
    ['bulk (CPU µs per GB)', 'haproxy', '300 (200–400)', 'per s 1000'],
    ['', 'haproxy-64k', '100', '0.38 (0.25–0.50) × haproxy', 'per s 1000'],
    ['', 'limpet', '150 (140–160)', '0.55 (0.40–0.70) × haproxy', '≤ 0.65: met', 'per s 1000'],
    ['', '1.50 (1.40–1.60) × haproxy-64k', '≤ 1: not met'],
  ]);
});

test('a value is judged as it is, and without a limit not at all', () => {
  const alone: Row = { ...row, by: 'value', others: [], limits: { limpet: 150 }, atLeast: true };
  const lines = tableOf([{ ...alone, measures: { haproxy: cpu(1), limpet: cpu(140) } }]).split('\n');
  expect(lines[1]).not.toContain('met');
  expect(lines[2]).toContain('≥ 150: not met');
});
