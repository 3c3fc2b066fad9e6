import { describe, expect, test } from 'vitest';
import { diffConfig } from '../../../src/config/diff.ts';
import { configOf, loadText, withBackend } from './scratch.ts';

const sources = (text: string): readonly (readonly string[])[] =>
  configOf(text).backends[0]?.servers.map(({ source }) => source) ?? [];

describe('source', () => {
  test.each([
    ['source: 127.0.0.2', [['127.0.0.2'], ['127.0.0.2']]],
    [
      'source: [127.0.0.2, 127.0.0.3, 127.0.0.2]',
      [
        ['127.0.0.2', '127.0.0.3'],
        ['127.0.0.2', '127.0.0.3'],
      ],
    ],
    ['source: "::ffff:127.0.0.2"', [['127.0.0.2'], ['127.0.0.2']]],
    ['source: false', [[], []]],
    ['retries: 3', [[], []]],
  ])('%s of a backend is for all its servers', (line, expected) => {
    expect(sources(withBackend(`${line}\n    servers: { a: 127.0.0.1:1, b: 127.0.0.1:2 }`))).toEqual(expected);
  });

  test('a server has its own, or none', () => {
    const servers = '{ a: { address: 127.0.0.1:1, source: 127.0.0.9 }, b: { address: 127.0.0.1:2, source: false } }';
    expect(sources(withBackend(`source: 127.0.0.2\n    servers: ${servers}`))).toEqual([['127.0.0.9'], []]);
  });

  test('of a backend’s addresses a server has those of its family; one with a name has all', () => {
    const text = withBackend(
      'source: [127.0.0.2, "::1"]\n    servers: { a: 127.0.0.1:1, b: "[::2]:2", c: localhost:3 }',
    );
    expect(sources(text)).toEqual([['127.0.0.2'], ['::1'], ['127.0.0.2', '::1']]);
  });

  test('a reload changes it in place', () => {
    const before = configOf(withBackend('servers: { a: 127.0.0.1:1, b: 127.0.0.1:2 }'));
    const after = configOf(withBackend('servers: { a: 127.0.0.1:1, b: { address: 127.0.0.1:2, source: 127.0.0.2 } }'));
    const { changes, needsRestart } = diffConfig(before, after);
    expect([changes, needsRestart]).toEqual([['server b/b: source changed'], []]);
  });
});

describe('what may be meant, but is probably not', () => {
  const warningsOf = (text: string): string[] => {
    const loaded = loadText(text);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return loaded.warnings.map(({ line, message }) => `${line}: ${message}`);
  };

  test('an address that is not on this host is told once, where it is written', () => {
    const text = withBackend('source: [127.0.0.2, 192.0.2.77]\n    servers: { a: 192.0.2.1:1, b: 192.0.2.1:2 }');
    const what = 'is no address of this host now, and no connection can begin there until it is';
    expect(warningsOf(text)).toEqual([`4: \`backends.b.source\`: 192.0.2.77 ${what}`]);
  });
});
