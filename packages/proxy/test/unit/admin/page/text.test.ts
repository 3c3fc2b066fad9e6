import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as text from '../../../../page/text.js';

describe('visible', () => {
  test.each([
    ['a plain id', 'sensor/17', 'sensor/17'],
    ['markup is only text', '<img onerror>', '<img onerror>'],
    ['letters of the world', 'Zürich 東京 😀', 'Zürich 東京 😀'],
    ['control characters', 'a\u0000\u001b[31m\n\u007f', 'a\\u{00}\\u{1b}[31m\\u{0a}\\u{7f}'],
    ['bidi overrides', '\u202egnp.exe\u2066', '\\u{202e}gnp.exe\\u{2066}'],
    ['what has no width', 'a\u200b\ufeffb', 'a\\u{200b}\\u{feff}b'],
    ['spaces that are none', 'a\u00a0b\u3000c', 'a\\u{a0}b\\u{3000}c'],
    ['a lone surrogate', '\ud800', '\\u{d800}'],
    ['a backslash, so that nothing can look escaped', '\\u{00}', '\\\\u{00}'],
  ])('%s', (_title, came, shown) => {
    expect(text.visible(came)).toBe(shown);
  });

  test('two texts never look alike', () => {
    const hard = fc.string({ unit: fc.constantFrom('\\', 'u', '{', '}', '0', '\u0000', '\u202e', 'a') });
    fc.assert(
      fc.property(hard, hard, (one, other) => {
        expect(text.visible(one) === text.visible(other)).toBe(one === other);
      }),
    );
  });
});

test('a text of our own keeps its lines, and nothing else of it acts', () => {
  expect(text.visibleLines('a: wrong\n    \u202eb\r\n\\n')).toBe('a: wrong\n    \\u{202e}b\\u{0d}\n\\\\n');
});

test.each([
  [
    [0, 0.05, 0.1],
    ['0', '0.05', '0.10'],
  ],
  [
    [0, 0.5, 1],
    ['0', '0.5', '1.0'],
  ],
  [
    [0, 0.0002, 0.0004],
    ['0', '0.0002', '0.0004'],
  ],
])('ticks below 1: %j', (ticks, written) => {
  expect(ticks.map(tick => text.fraction(tick, ticks[1] ?? 1))).toEqual(written);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [99_951, '100 kB'],
  [999_600, '1.0 MB'],
  [4.2e12, '4.2 TB'],
])('bytes: %d is %s', (value, written) => {
  expect(text.bytes(value)).toBe(written);
});

test.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [725_000, '12 min 5 s'],
  [11_040_000, '3 h 4 min'],
  [273_600_000, '3 d 4 h'],
])('duration: %d ms is %s', (ms, written) => {
  expect(text.duration(ms)).toBe(written);
});

test.each([
  [null, '–'],
  [0.42, '0.4 ms'],
  [9.96, '10 ms'],
  [999.4, '999 ms'],
  [1500, '1.5 s'],
])('latency: %s is %s', (value, written) => {
  expect(text.latency(value)).toBe(written);
});

test.each([
  [0, '0 %'],
  [0.005, '0.5 %'],
  [0.3333, '33 %'],
  [1, '100 %'],
])('percent: %d is %s', (value, written) => {
  expect(text.percent(value)).toBe(written);
});

test.each([
  [0, '0'],
  [0.44, '0.4'],
  [12.6, '13'],
  [1204, '1,204'],
])('rate: %d is %s', (value, written) => {
  expect(text.rate(value)).toBe(written);
});

test('a limit that is none is a dash, and one thing is not many', () => {
  expect([text.limit(null), text.limit(5000)]).toEqual(['–', '5,000']);
  expect([text.many(1, 'session'), text.many(0, 'session')]).toEqual(['1 session', '0 sessions']);
});

test('a moment of another day says its day', () => {
  const now = new Date(2026, 10, 20, 14, 3, 22).getTime();
  expect(text.moment(now, now)).toBe('14:03:22');
  expect(text.moment(now - 86_400_000, now)).toBe('19 Nov 14:03:22');
  expect(text.minute(now)).toBe('14:03');
});

test.each([
  [99_999_999, '99,999,999'],
  [100_000_000, '100.0M'],
  [1_234_567_890, '1,234.5M'],
])('sum: %d is %s', (value, written) => {
  expect(text.sum(value)).toBe(written);
});
