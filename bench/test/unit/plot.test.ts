import { expect, test } from 'vitest';
import { type Plot, plotOf, scaleOf } from '../../plot.ts';

const bar = (median: number, limit: number | null = null, series = 'limpet') => ({
  series,
  spread: { median, min: median * 0.9, max: median * 1.1 },
  limit,
});
const plot = (over: Partial<Plot>): Plot => ({
  title: 'message',
  axis: 'CPU µs',
  reference: null,
  series: ['limpet', 'nginx'],
  groups: [{ title: 'paced', bars: [bar(1)] }],
  ...over,
});

test.each([
  ['ratios', [bar(0.86)], 1, { step: 0.2, steps: 6 }],
  ['a bar above the reference', [bar(1.6)], 1, { step: 0.5, steps: 4 }],
  ['a limit above the bar', [bar(0.1, 1.9)], null, { step: 0.5, steps: 4 }],
  ['calls a second', [bar(760_000)], null, { step: 200_000, steps: 5 }],
  ['nothing at all', [bar(0)], null, { step: 0.25, steps: 4 }],
])('the scale holds %s', (_, bars, reference, expected) => {
  const at = reference === null ? null : { at: reference, label: 'haproxy' };
  expect(scaleOf({ groups: [{ title: '', bars }], reference: at })).toEqual(expected);
});

/** The x of the end of each bar, in the order of the file. */
function barWidths(svg: string): number[] {
  return [...svg.matchAll(/<rect class="c\d" .*?width="([\d.]+)"/g)].map(match => Number(match[1]));
}

test('bars are as long as their medians', () => {
  const [one = 0, two = 0] = barWidths(plotOf(plot({ groups: [{ title: 'a', bars: [bar(1), bar(2)] }] })));
  expect(two / one).toBeCloseTo(2, 2);
  expect(one).toBeGreaterThan(50);
});

test('a series has its colour wherever it stands', () => {
  const svg = plotOf(plot({ groups: [{ title: 'a', bars: [bar(1, null, 'nginx'), bar(1)] }] }));
  expect([...svg.matchAll(/<rect class="(c\d)"/g)].map(match => match[1])).toEqual(['c1', 'c0']);
});

test('a limit is a mark, and only where there is one', () => {
  const marks = (limit: number | null): number =>
    plotOf(plot({ groups: [{ title: 'a', bars: [bar(1, limit)] }] })).split('class="limit"').length - 1;
  expect([marks(0.95), marks(null)]).toEqual([1, 0]);
});

test('what is not a number is said and not drawn', () => {
  const svg = plotOf(plot({ groups: [{ title: 'a', bars: [bar(Number.NaN), bar(1)] }] }));
  expect(barWidths(svg)).toHaveLength(1);
  expect(svg).not.toContain('NaN');
});

test.each([
  [bar(0.861), '0.86 (0.77–0.95)'],
  [bar(45_678), '45.7k (41.1k–50.2k)'],
  [bar(4_407_999), '4.41M (3.97M–4.85M)'],
  [{ ...bar(0), spread: { median: 12, min: 12, max: 12 } }, '12.0'],
])('a value beside its bar is short: %#', (one, expected) => {
  expect(plotOf(plot({ groups: [{ title: 'a', bars: [one] }] }))).toContain(`>${expected}</text>`);
});

test('texts are escaped', () => {
  const svg = plotOf(plot({ title: 'a < b & "c"' }));
  expect(svg).toContain('>a &lt; b &amp; &quot;c&quot;</text>');
  expect(svg).not.toContain('a < b');
});

test('it follows the light or dark scheme of its reader, without a script', () => {
  const svg = plotOf(plot({}));
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).not.toContain('<script');
});
