import { expect, test } from 'vitest';
import { Pins } from '../../../src/route/pins.ts';

const pin = (key: string, epoch = 1) => ({ key, server: 'a', by: { owner: 'lb1/1', epoch } });
const keys = (batch: readonly { key: string }[]): string => batch.map(({ key }) => key).join('');

test('P3: every live session is in one batch, and no batch is larger than asked for', () => {
  const pins = new Pins();
  for (const key of 'abcde') pins.add(pin(key));
  expect([...pins.batches(2)].map(keys)).toEqual(['ab', 'cd', 'e']);
  expect([...pins.batches(5)].map(keys)).toEqual(['abcde']);
  expect([...new Pins().batches(5)]).toEqual([]);
});

test('P3: who has left since the last batch is in none, so that nothing is pinned again that was released', () => {
  const pins = new Pins();
  const [a, b, c, d] = [pin('a'), pin('b'), pin('c'), pin('d')];
  for (const one of [a, b, c, d]) pins.add(one);
  const seen: string[] = [];
  for (const batch of pins.batches(2)) {
    seen.push(keys(batch));
    pins.remove(c);
  }
  expect(seen).toEqual(['ab', 'd']);
});

test('P2: a session that ends late leaves its successor pinned', () => {
  const pins = new Pins();
  const [old, young] = [pin('a', 1), pin('a', 2)];
  pins.add(old);
  pins.add(young);
  pins.remove(old);
  expect([...pins.batches(9)]).toEqual([[young]]);
  pins.remove(young);
  expect([...pins.batches(9)]).toEqual([]);
});
