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

test('questions wait for the answers to those before them, and then go together', () => {
  const { outbox, sent } = scene();
  for (const question of ['a', 'b']) outbox.ask(question);
  vi.advanceTimersByTime(0);
  for (const question of ['c', 'd']) outbox.ask(question);
  vi.advanceTimersByTime(1);
  outbox.answered();
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(['a b']);
  outbox.answered();
  outbox.ask('e');
  vi.advanceTimersByTime(0);
  expect(sent).toEqual(['a b', 'c d e']);
});

test('a question whose predecessors are not answered goes after 5 ms, or with what is in haste', () => {
  const { outbox, sent } = scene();
  outbox.ask('a');
  vi.advanceTimersByTime(0);
  outbox.ask('b');
  vi.advanceTimersByTime(4);
  expect(sent).toEqual(['a']);
  vi.advanceTimersByTime(1);
  outbox.ask('c');
  outbox.say('d');
  vi.advanceTimersByTime(0);
  expect(sent).toEqual(['a', 'b', 'c d']);
  for (const _ of ['a', 'b', 'c']) outbox.answered();
  outbox.ask('e');
  vi.advanceTimersByTime(0);
  expect(sent).toEqual(['a', 'b', 'c d', 'e']);
});

test('the last word can be said in another way while it has not been sent', () => {
  const { outbox, sent } = scene();
  outbox.mention('a');
  outbox.mention('b');
  expect(outbox.last).toBe('b');
  outbox.replaceLast('c');
  outbox.flush();
  expect([sent, outbox.last]).toEqual([['a c'], undefined]);
});
