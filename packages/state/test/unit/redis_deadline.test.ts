import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RedisDeadlines } from '../../src/redis_deadline.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const never = (): Promise<never> => new Promise(() => undefined);

/** What became of each, in the order in which it did. */
function scene() {
  const deadlines = new RedisDeadlines('redis');
  const heard: string[] = [];
  const wait = (name: string, command: Promise<string>, deadlineMs: number): void => {
    deadlines.within(command, deadlineMs).then(
      reply => heard.push(`${name} ${reply}`),
      (error: { code: string }) => heard.push(`${name} ${error.code}`),
    );
  };
  return { heard, wait };
}

test('a command without a reply is late after its deadline, which begins at the end of its turn', async () => {
  const { heard, wait } = scene();
  wait('a', never(), 100);
  wait('b', never(), 50);
  wait('c', Promise.resolve('well'), 50);
  await vi.advanceTimersByTimeAsync(0);
  wait('d', never(), 50);
  await vi.advanceTimersByTimeAsync(49);
  expect(heard).toEqual(['c well']);
  await vi.advanceTimersByTimeAsync(2);
  expect(heard).toEqual(['c well', 'b REDIS_TIMEOUT', 'd REDIS_TIMEOUT']);
  await vi.advanceTimersByTimeAsync(50);
  expect(heard.at(-1)).toBe('a REDIS_TIMEOUT');
});

test('a reply that comes after the timer and in the same turn is not late', async () => {
  const { heard, wait } = scene();
  let reply: (text: string) => void = () => {};
  wait('a', new Promise(resolve => (reply = resolve)), 50);
  await vi.advanceTimersByTimeAsync(0);
  setTimeout(() => reply('well'), 50);
  await vi.advanceTimersByTimeAsync(60);
  expect(heard).toEqual(['a well']);
});

test('when all are answered, nothing is left that would wake the process', async () => {
  const { heard, wait } = scene();
  const replies: ((text: string) => void)[] = [];
  for (const name of ['a', 'b']) wait(name, new Promise(resolve => replies.push(resolve)), 50);
  await vi.advanceTimersByTimeAsync(1);
  expect(vi.getTimerCount()).toBe(1);
  for (const reply of replies) reply('well');
  await vi.advanceTimersByTimeAsync(0);
  expect([vi.getTimerCount(), heard]).toEqual([0, ['a well', 'b well']]);
});
