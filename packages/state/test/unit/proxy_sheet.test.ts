import { expect, test } from 'vitest';
import { OwnSheet, readConns, readHealth } from '../../src/proxy_sheet.ts';

test('lines that are none are passed over', () => {
  expect(
    readConns(['emqx/a', '5', 'emqx/b', '-1', 'emqx/c', '1e9', 'emqx', '5', 'a/b/c', '5', 'emqx/d', '07', 'emqx/e']),
  ).toEqual(
    new Map([
      ['emqx/a', 5],
      ['emqx/d', 7],
    ]),
  );
  expect(readHealth(['emqx/a', 'UP L7OK', 'emqx/b', 'x'.repeat(201), 'emqx/\n', 'UP'])).toEqual(
    new Map([['emqx/a', 'UP L7OK']]),
  );
  expect([readConns(null), readConns('OK'), readHealth(7)]).toEqual([new Map(), new Map(), new Map()]);
});

test('4,096 lines are read at most', () => {
  const reply = Array.from({ length: 5000 }, (_, i) => [`emqx/s${i}`, '1']).flat();
  expect(readConns(reply).size).toBe(4096);
});

test('Redis is told what has changed, and once a second what has not', () => {
  const own = new OwnSheet();
  const sheet = (conns: number): ReadonlyMap<string, number> => new Map([['emqx/a', conns]]);
  expect(own.due(sheet(1), 0)).toEqual(['emqx/a', '1']);
  // It did not come through: again.
  expect(own.due(sheet(1), 10)).toEqual(['emqx/a', '1']);
  own.told(['emqx/a', '1'], 10);
  expect(own.due(sheet(1), 20)).toBeNull();
  expect(own.due(sheet(2), 20)).toEqual(['emqx/a', '2']);
  expect(own.due(sheet(1), 1009)).toBeNull();
  expect(own.due(sheet(1), 1010)).toEqual(['emqx/a', '1']);
  expect(own.due(new Map([['emqx/a', 'x'.repeat(300)]]), 20)?.[1]).toHaveLength(200);
});
