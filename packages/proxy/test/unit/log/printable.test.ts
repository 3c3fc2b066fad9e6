import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable } from '../../../src/log.ts';

/** C0 and C1 controls, DEL, every mark that turns the reading direction or breaks a line, and whatever is not seen. */
const ACTED_ON = /[\p{Cc}\p{Cf}\p{Bidi_Control}\u2028\u2029\ufeff\u115f\u3164]|\u034f|\ufe0f/u;

/** As the log writes it. */
function written(text: string): string {
  return JSON.stringify(printable(text)).slice(1, -1);
}

describe('printable', () => {
  const nasty = fc.constantFrom(
    ...[
      '\u001b[2J',
      '\u009b31m',
      '\u202e',
      '\u2066',
      '\r\n',
      '\u0000',
      '\u007f',
      '\u061c',
      '\u2028',
      '\ufeff',
      '"',
      '\\',
    ],
    ...['\ud83d', '\udc1a', '🐚', 'é'],
  );

  test('P11: leaves nothing that a terminal acts on, whatever a client sends', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { maxLength: 40 }).map(parts => parts.join('')),
        text => {
          const line = written(text);
          expect(line).not.toMatch(ACTED_ON);
          expect(line.isWellFormed()).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('P11: every single character below U+3000 is either shown or escaped', () => {
    for (let code = 0; code < 0x3000; code += 1) expect(written(String.fromCharCode(code))).not.toMatch(ACTED_ON);
  });

  test.each([
    ['plain text', 'plant7-sensor1', 'plant7-sensor1'],
    ['letters of any script', 'Gerät-温度-🐚', 'Gerät-温度-🐚'],
    ['an escape of the C1 set', 'a\u009b31mb', 'a\\u009b31mb'],
    ['a mark that turns the direction', 'a\u202eb', 'a\\u202eb'],
    ['what is not seen', 'a\u200bb\u2060\u00ad\u{e0041}', 'a\\u200bb\\u2060\\u00ad\\udb40\\udc41'],
    ['exactly 256 characters', 'x'.repeat(256), 'x'.repeat(256)],
    ['one more', 'x'.repeat(257), `${'x'.repeat(256)}… (257 characters)`],
    ['nothing', '', ''],
  ])('%s', (_what, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  test('P7: a client id of 64 KiB costs a short line', () => {
    expect(written('\u009b'.repeat(65_535)).length).toBeLessThan(2000);
  });
});
