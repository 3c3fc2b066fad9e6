import { describe, expect, it } from 'vitest';
import { clipped, columns, fitted } from '../../src/output/columns.ts';
import { bytes, count, counted, duration, percent, shortDuration } from '../../src/output/numbers.ts';
import { PLAIN, paintFor } from '../../src/output/paint.ts';
import { harmless, jsonText, printable, shown } from '../../src/output/print.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0 s', '0s'],
    [-5, '0 s', '0s'],
    [59_999, '59 s', '59s'],
    [60_000, '1 min', '1m00s'],
    [63_000, '1 min 3 s', '1m03s'],
    [7_500_000, '2 h 5 min', '2h05m'],
    [100_000_000, '1 d 3 h', '1d03h'],
  ])('%d ms', (ms, long, short) => {
    expect([duration(ms), shortDuration(ms)]).toEqual([long, short]);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_449, '99.4 kB'],
    [99_500, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1.235e18, '1235 PB'],
  ])('%d bytes', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it('counts and parts', () => {
    expect([count(1_234_567), counted(1, 'session'), counted(2, 'entry', 'entries')]).toEqual([
      '1,234,567',
      '1 session',
      '2 entries',
    ]);
    expect([percent(1, 3), percent(0, 0)]).toEqual(['33%', '-']);
  });
});

describe('columns', () => {
  it('are as wide as their widest cell, wide characters and marks included', () => {
    const head = [{ title: 'KEY' }, { title: 'N', align: 'right' }] as const;
    expect(
      columns(head, [
        ['温度計', '1'],
        ['e\u0301', '200'],
      ]),
    ).toEqual(['KEY       N', '温度計    1', 'e\u0301       200']);
  });

  it.each([
    ['abcdef', 4, 'abc…'],
    ['abcd', 4, 'abcd'],
    ['温度計', 4, '温…'],
    ['ab', 0, ''],
  ])('%s in %d', (text, width, expected) => {
    expect(clipped(text, width)).toBe(expected);
  });

  it('fit', () => {
    expect([fitted('ab', 4), fitted('ab', 4, 'right'), fitted('温度計', 4)]).toEqual(['ab  ', '  ab', '温… ']);
  });
});

describe('what clients send', () => {
  it.each([
    ['plain ünï', 'plain ünï'],
    ['\u001b[2J', '\\x1b[2J'],
    ['a\nb', 'a\\x0ab'],
    ['a\u202eb', 'a\\xe2\\x80\\xaeb'],
    ['\\x1b', '\\\\x1b'],
    ['\u{e0041}', '\\xf3\\xa0\\x81\\x81'],
  ])('%j is printable', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('stays itself in JSON, and harmless', () => {
    const value = { id: '\u001b[2J\u009b\u202e\u2028\u{e0041}ü\n' };
    const text = jsonText(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toMatch(/^[\n\x20-\x7eü]*$/);
  });

  it('keeps its own backslashes in messages', () => {
    expect(shown('"a\\n\u009b"')).toBe('"a\\n\\xc2\\x9b"');
  });

  it('is harmless in a stream, wherever it is cut', async () => {
    const all = Buffer.from('a\u202eü\n\tb\u001b[0m');
    const one = Array.from(all, byte => Buffer.from([byte]));
    let text = '';
    for await (const part of harmless(stream(one))) text += part;
    expect(text).toBe('a\\xe2\\x80\\xaeü\n\tb\\x1b[0m');
  });
});

describe('colours', () => {
  const terminal = { isTTY: true, hasColors: () => true };
  it.each([
    [terminal, {}, '\x1b[32mUP\x1b[39m'],
    [terminal, { NO_COLOR: '1' }, 'UP'],
    [terminal, { NO_COLOR: '' }, '\x1b[32mUP\x1b[39m'],
    [terminal, { TERM: 'dumb' }, 'UP'],
    [{ isTTY: true, hasColors: () => false }, {}, 'UP'],
    [{ isTTY: false }, {}, 'UP'],
  ])('%#', (stream, env, expected) => {
    expect(paintFor(stream, env)('good', 'UP')).toBe(expected);
    expect(PLAIN('good', 'UP')).toBe('UP');
  });
});

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}
