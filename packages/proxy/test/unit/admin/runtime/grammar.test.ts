import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../../src/admin/runtime/grammar.ts';

describe('a command line', () => {
  it.each<[line: string, commands: string[][], hasPayload: boolean]>([
    ['show info', [['show', 'info']], false],
    ['  show \t info  ', [['show', 'info']], false],
    [
      'show info;show stat',
      [
        ['show', 'info'],
        ['show', 'stat'],
      ],
      false,
    ],
    ['show info;', [['show', 'info']], false],
    ['show version;;show version', [['show', 'version'], [], ['show', 'version']], false],
    ['', [[]], false],
    ['show table emqx key a\\;b', [['show', 'table', 'emqx', 'key', 'a;b']], false],
    ['show table emqx key a\\ b', [['show', 'table', 'emqx', 'key', 'a b']], false],
    ['show table emqx key a\\\\b', [['show', 'table', 'emqx', 'key', 'a\\b']], false],
    ['show info\\', [['show', 'info']], false],
    ['api POST /x <<', [['api', 'POST', '/x']], true],
    [
      'show info;api POST /x <<  ',
      [
        ['show', 'info'],
        ['api', 'POST', '/x'],
      ],
      true,
    ],
    ['<<', [[]], true],
    ['api POST /x<<', [['api', 'POST', '/x<<']], false],
    ['set table emqx key a\\ <<', [['set', 'table', 'emqx', 'key', 'a <<']], false],
    ['api POST << /x', [['api', 'POST', '<<', '/x']], false],
  ])('%j', (line, commands, hasPayload) => {
    expect(readCommandLine(line)).toEqual({ commands, hasPayload });
  });

  it('gives back every word that was escaped', () => {
    const word = fc.string({ minLength: 1 }).filter(text => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), words => {
        const line = words.map(text => text.replaceAll(/[\\; \t<]/g, '\\$&')).join(' ');
        expect(readCommandLine(line)).toEqual({ commands: [words], hasPayload: false });
      }),
    );
  });
});
