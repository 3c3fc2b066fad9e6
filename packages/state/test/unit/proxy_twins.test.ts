import { expect, test } from 'vitest';
import { ProxyTwins } from '../../src/proxy_twins.ts';

test('a twin is told of once, when it has written over this one for two seconds', () => {
  const twins = new ProxyTwins('aaaaaaaa');
  const seen = [0, 1000, 2000, 3000, 4000].map(nowMs => twins.saw('bbbbbbbb', nowMs));
  expect(seen).toEqual([false, false, true, false, false]);
  expect([10_000, 11_000, 12_000].map(nowMs => twins.saw('cccccccc', nowMs))).toEqual([false, false, true]);
});

test('the process before this one, which writes once or twice more, is none; nor is what this one wrote itself', () => {
  const twins = new ProxyTwins('aaaaaaaa');
  expect([0, 100, 200, 300].map(nowMs => twins.saw('bbbbbbbb', nowMs))).toEqual([false, false, false, false]);
  expect(twins.saw('bbbbbbbb', 9000)).toBe(false);
  expect([9100, 12_000, 15_000].map(nowMs => twins.saw('aaaaaaaa', nowMs))).toEqual([false, false, false]);
  expect(twins.saw('', 15_100)).toBe(false);
});
