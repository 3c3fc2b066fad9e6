import { expect, test } from 'vitest';
import { type Options, readOptions } from '../../options.ts';

const names = ['connect', 'message'];

function read(line: string): Options | string {
  return readOptions(line === '' ? [] : line.split(' '), names);
}

test('without a word, everything is measured against everybody', () => {
  expect(read('')).toMatchObject({
    scenarios: names,
    targets: ['haproxy', 'haproxy-64k', 'nginx', 'limpet', 'limpet-node'],
    runs: 5,
    seconds: 3,
    isSmoke: false,
    json: null,
    report: false,
  });
});

test.each([
  ['message', { scenarios: ['message'] }],
  ['--against haproxy --relay node', { targets: ['haproxy', 'haproxy-64k', 'limpet-node'] }],
  ['--against none --relay native', { targets: ['limpet'] }],
  ['--runs 9 --seconds 60 --workers 1', { runs: 9, seconds: 60, workers: 1 }],
  ['--smoke --runs 9 --seconds 60', { isSmoke: true, runs: 1, seconds: 0.2, workers: 1 }],
  ['--json a.json --report', { json: 'a.json', report: true }],
])('%s', (line, expected) => {
  expect(read(line)).toMatchObject(expected);
});

test.each([
  ['conect', 'There is no scenario "conect"; there are connect, message.'],
  ['--against nginz', 'There is no rival "nginz"; there are haproxy, nginx.'],
  ['--relay toString', 'There is no relay "toString"; there are native, node.'],
  ['--runs 0', '--runs is a whole number from 1 to 100, not "0".'],
  ['--seconds 1.5', '--seconds is a whole number from 1 to 60, not "1.5".'],
  ['--workers all', '--workers is a whole number from 1 to 64, not "all".'],
])('%s is refused', (line, sentence) => {
  expect(read(line)).toBe(sentence);
});

test('help is no mistake', () => {
  expect(read('--help')).toBe('');
});
