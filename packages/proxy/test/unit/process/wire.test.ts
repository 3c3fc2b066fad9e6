import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Outbox } from '../../../src/process/wire.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function scene() {
  const sent: string[] = [];
  const outbox = new Outbox<string>(batch => sent.push(batch.join(' ')));
  return { outbox, sent };
}

test('what is said in one turn goes in one message, at the end of the turn', () => {
  const { outbox, sent } = scene();
  for (const word of ['a', 'b', 'c']) outbox.say(word);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(0);
  outbox.say('d');
  vi.advanceTimersByTime(0);
  expect(sent).toEqual(['a b c', 'd']);
});

test('what nobody waits for goes after 5 ms, or with the next thing in haste, in the order in which it was said', () => {
  const { outbox, sent } = scene();
  outbox.mention('a');
  vi.advanceTimersByTime(4);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(['a']);
  outbox.mention('b');
  outbox.say('c');
  outbox.mention('d');
  vi.advanceTimersByTime(0);
  expect(sent).toEqual(['a', 'b c d']);
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(['a', 'b c d']);
});

test('flush() sends at once, and nothing twice', () => {
  const { outbox, sent } = scene();
  outbox.mention('a');
  outbox.say('b');
  outbox.flush();
  outbox.flush();
  vi.advanceTimersByTime(100);
  outbox.mention('c');
  vi.advanceTimersByTime(100);
  outbox.say('d');
  vi.advanceTimersByTime(0);
  expect(sent).toEqual(['a b', 'c', 'd']);
});
