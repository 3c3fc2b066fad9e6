import { expect, test } from 'vitest';
import type { Measure, Results, Row } from '../../measure.ts';
import { mergedRows, reportOf } from '../../report.ts';
import { markdownTable } from '../../report_markdown.ts';
import { lossesOf, verdictOf } from '../../report_verdict.ts';

const cpu = (...values: number[]): Measure[] => values.map(cpuUs => ({ figures: { cpuUs }, lost: [] }));

const row = (over: Partial<Row> = {}): Row => ({
  scenario: 'message',
  title: 'message, paced',
  meaning: 'Small messages through open connections.',
  unit: 'message',
  judged: 'cpuUs',
  by: 'ratio',
  base: 'haproxy',
  shown: [],
  limits: { limpet: 0.95 },
  atLeast: false,
  notes: [],
  measures: { haproxy: cpu(20, 40, 30), limpet: cpu(18, 38, 24) },
  ...over,
});

const results = (over: Partial<Results> = {}): Results => ({
  at: '2026-01-02T03:04:05.000Z',
  about: ['2 × CPU', 'HAProxy 2.6'],
  runs: 3,
  seconds: 2,
  workers: 2,
  rows: [row()],
  ...over,
});

test('a ratio is taken run by run', () => {
  expect(verdictOf(row(), 'limpet')).toEqual({
    spread: { median: 0.9, min: 0.8, max: 0.95 },
    limit: 0.95,
    outcome: 'met',
  });
});

test.each([
  ['the median is above the limit', { limits: { limpet: 0.89 } }, 'not met'],
  ['it is written like the limit', { limits: { limpet: 0.9 } }, 'met'],
  ['more is better, and it is enough', { limits: { limpet: 0.9 }, atLeast: true }, 'met'],
  ['more is better, and it is too little', { limits: { limpet: 0.91 }, atLeast: true }, 'not met'],
  ['a value is judged as it is', { by: 'value', limits: { limpet: 24 } } as const, 'met'],
  ['nothing is aimed at', { limits: {} }, null],
])('met: %s', (_, over, outcome) => {
  expect(verdictOf(row(over), 'limpet')?.outcome).toBe(outcome);
});

const added = (haproxy: readonly number[], limpet: readonly number[], over: Partial<Row> = {}): Row => {
  const measures = (values: readonly number[]): Measure[] =>
    values.map(addedP99Us => ({ figures: { addedP99Us }, lost: [] }));
  const own = { haproxy: measures(haproxy), limpet: measures(limpet) };
  return row({ judged: 'addedP99Us', limits: { limpet: 1.1 }, measures: own, ...over });
};

test.each([
  ['a base below zero makes no ratio that is met', [-10, -10, -10], [400, 400, 400], Number.NaN, 'within the noise'],
  ['nor does a value below zero', [100, 100, 100], [-400, -400, 300], Number.NaN, 'within the noise'],
  ['nor a base of zero', [0, 0, 0], [5, 5, 5], Number.NaN, 'within the noise'],
  ['the halves of the runs lie on both sides', [-40, 100, 200], [90, 100, 180], 1, 'within the noise'],
  ['one run among many is an accident', [-40, 95, 100, 105, 300], [600, 650, 700, 750, 80], 6.5, 'not met'],
  ['and so it is where it is met', [-40, 95, 100, 105, 300], [6, 5, 7, 8, 900], 0.07, 'met'],
])('differences: %s', (_, haproxy, limpet, ratio, outcome) => {
  expect(verdictOf(added(haproxy, limpet), 'limpet')).toEqual({
    spread: { median: ratio, min: ratio, max: ratio },
    limit: 1.1,
    outcome,
  });
});

test('differences: where more is better, the sides are the other way round', () => {
  const haproxy = [-40, 95, 100, 105, 300];
  const outcomes = [[600, 650, 700, 750, 80], [6, 5, 7, 8, 900], haproxy].map(
    limpet => verdictOf(added(haproxy, limpet, { atLeast: true }), 'limpet')?.outcome,
  );
  expect(outcomes).toEqual(['met', 'not met', 'within the noise']);
});

test('a difference is compared run by run as long as all of them are above zero', () => {
  expect(verdictOf(added([100, 200, 50], [100, 100, 100]), 'limpet')?.spread).toEqual({ median: 1, min: 0.5, max: 2 });
});

test('the base has no verdict, and neither has a target without measures', () => {
  expect(verdictOf(row(), 'haproxy')).toBeNull();
  expect(verdictOf(row({ measures: { haproxy: cpu(1), limpet: [] } }), 'limpet')).toBeNull();
});

test('losses are told once, with the runs that saw them', () => {
  const lost = (what: string): Measure => ({ figures: {}, lost: [what] });
  const measures = { limpet: [lost('2 × late'), lost('2 × late'), lost('1 × ECONNRESET')] };
  expect(lossesOf(row({ measures }))).toEqual([
    'message, paced, limpet: 2 × late (2 runs)',
    'message, paced, limpet: 1 × ECONNRESET',
  ]);
});

test('a row that was measured again replaces the older one, whatever the order of the files', () => {
  const newer = results({ at: '2026-02-01T00:00:00.000Z', rows: [row({ unit: 'newer' })] });
  const older = results({ rows: [row(), row({ title: 'only there' })] });
  expect(mergedRows([newer, older]).map(({ title, unit }) => [title, unit])).toEqual([
    ['message, paced', 'newer'],
    ['only there', 'message'],
  ]);
});

const textOf = (...all: Results[]): string => reportOf(all, [], null)[0]?.content ?? '';

test('the report tells figures, ratio, limit, verdict and meaning', () => {
  const text = textOf(results());
  expect(text).toMatch(/message, paced .*\| haproxy +\| +30\.0 \(20\.0–40\.0\) \| +\| +\| +\|/);
  expect(text).toMatch(/\| limpet +\| +24\.0 \(18\.0–38\.0\) \| +0\.90 \(0\.80–0\.95\) \| ≤ 0\.95 \| +met \|/);
  expect(text).toContain('_message, paced_: Small messages through open connections.');
  expect(text).toContain('(plots/message.svg)');
});

test('what is missed and what is lost cannot be overlooked', () => {
  const measures = { haproxy: cpu(1), limpet: [{ figures: { cpuUs: 2 }, lost: ['3 × late'] }] };
  const text = textOf(results({ rows: [row({ measures })] }));
  expect(text).toContain('**not met**');
  expect(text).toContain('## Lost');
  expect(textOf(results())).not.toMatch(/not met|## Lost/);
});

test('what is within the noise is told beside what is met, and is not among it', () => {
  const noisy = added([-10, -20, 300], [400, 2, 10], { title: 'latency' });
  const text = textOf(results({ rows: [row(), noisy] }));
  expect(text).toContain('1 of 2 are met, 1 is within the noise.');
  expect(text).toMatch(/added p99 µs, ratio to haproxy +\| +≤ 1\.1 \| +- \| within the noise \|/);
  expect(text).not.toContain('NaN');
});

test('what differs between results stands with its own', () => {
  const other = results({ at: '2026-02-01T10:00:00.000Z', runs: 5, about: ['2 × CPU', 'HAProxy 3.0'] });
  const text = textOf(results(), { ...other, rows: [row({ scenario: 'bulk' })] });
  expect(text).toContain(
    [
      '- 2 × CPU',
      '- 2026-01-02 03:04 UTC, 3 runs of 2 s, 2 workers or threads: message',
      '  - HAProxy 2.6',
      '- 2026-02-01 10:00 UTC, 5 runs of 2 s, 2 workers or threads: bulk',
      '  - HAProxy 3.0\n',
    ].join('\n'),
  );
});

test('every plot that the text shows is a file of the report', () => {
  const rows = [
    row(),
    row({ title: 'gap', by: 'value', judged: 'gapMs', measures: { limpet: [{ figures: { gapMs: 3 }, lost: [] }] } }),
  ];
  const files = reportOf([results({ rows })], [], null);
  const shown = [...(files[0]?.content ?? '').matchAll(/\((plots\/.*?\.svg)\)/g)].map(match => match[1]);
  expect(shown).toEqual(['plots/message.svg', 'plots/message-2.svg']);
  expect(files.slice(1).map(({ path }) => path)).toEqual(shown);
});

test('scenarios follow each other in the order of the benchmark, unknown ones last', () => {
  const rows = ['new', 'tls', 'message'].map(scenario => row({ scenario }));
  const text = reportOf([results({ rows })], ['message', 'bulk', 'tls'], null)[0]?.content ?? '';
  expect([...text.matchAll(/^## (new|tls|message|bulk)$/gm)].map(match => match[1])).toEqual(['message', 'tls', 'new']);
});

test('a second base has an aim of its own', () => {
  const measures = { haproxy: cpu(10), 'haproxy-64k': cpu(6), limpet: cpu(7) };
  const rows = [row({ measures, others: [{ base: 'haproxy-64k', limits: { limpet: 1 } }] })];
  const text = textOf(results({ rows }));
  expect(text).toContain('1 of 2 are met.');
  expect(text).toMatch(/ratio to haproxy +\| ≤ 0\.95 \| +0\.70 \| +met \|/);
  expect(text).toMatch(/ratio to haproxy-64k \| +≤ 1 \| +1\.17 \| \*\*not met\*\* \|/);
});

test('another Node has a part of its own, and replaces nothing', () => {
  const on = (version: string, unit: string, at: string): Results =>
    results({ at, about: ['2 × CPU', `Node ${version}`], rows: [row({ unit })] });
  const text = textOf(
    on('v26.1.0', 'newest', '2026-03-01T00:00:00.000Z'),
    on('v20.19.0', 'oldest', '2026-02-01T00:00:00.000Z'),
  );
  const [main, other] = text.split('## On Node v26.1.0');
  expect(main).toContain('- Node v20.19.0');
  expect(main).toContain('(per oldest)');
  expect(main).not.toContain('newest');
  expect(other).toContain('- Node v26.1.0');
  expect(other).toContain('(per newest)');
  expect(other).not.toContain('oldest');
});

test('the profile is included where there is one', () => {
  const text = reportOf([results()], [], 'In the kernel.\n')[0]?.content;
  expect(text).toContain('## Where the time goes\n\nIn the kernel.\n');
  expect(textOf(results())).not.toContain('Where the time goes');
});

test('a column without any cell is left out', () => {
  const rows = [
    ['name', 'empty', 'n'],
    ['a', '', '1'],
  ];
  expect(markdownTable(rows, 1)).toBe('| name |   n |\n| ---- | --: |\n| a    |   1 |');
});
