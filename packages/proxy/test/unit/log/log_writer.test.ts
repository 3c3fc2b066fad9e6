import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LogWriter } from '../../../src/log/log_writer.ts';
import { codedError, type Way } from '../../../src/log/way.ts';

/** A way out that does as told: takes so many bytes, fails with a code, or never answers. */
let way: number | string | 'hangs' = Number.POSITIVE_INFINITY;
let taken = '';
let attempts = 0;

beforeEach(() => {
  [way, taken, attempts] = [Number.POSITIVE_INFINITY, '', 0];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const told: Way = {
  send(bytes, sent) {
    attempts += 1;
    if (way === 'hangs') return;
    const answer = way;
    if (typeof answer === 'string') {
      queueMicrotask(() => sent(codedError(answer), 0));
      return;
    }
    const part = bytes.subarray(0, answer);
    taken += part.toString();
    queueMicrotask(() => sent(null, part.length));
  },
  reopen: () => null,
};

function scene() {
  const dropped: number[] = [];
  const writer = new LogWriter({ way: told, chunkBytes: 64, onDropped: lines => dropped.push(lines) });
  return { writer, dropped };
}

test.each(['ENOSPC', 'EPIPE', 'EIO', 'EAGAIN'])(
  'P8: %s throws nothing; the lines are written when it is over',
  async code => {
    const { writer, dropped } = scene();
    way = code;
    writer.write('one\n');
    await vi.advanceTimersByTimeAsync(10_000);
    writer.write('two\n');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(taken).toBe('');
    way = 3;
    await vi.advanceTimersByTimeAsync(1100);
    expect([taken, dropped]).toEqual(['one\ntwo\n', []]);
  },
);

test('P10: 4 MiB wait while the disk is full; the others are counted, and told when there is room', async () => {
  const { writer, dropped } = scene();
  way = 'ENOSPC';
  const line = `${'x'.repeat(1023)}\n`;
  for (let count = 0; count < 5000; count += 1) writer.write(line);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(attempts).toBeLessThan(20);
  way = Number.POSITIVE_INFINITY;
  await vi.advanceTimersByTimeAsync(1100);
  expect(dropped).toHaveLength(1);
  expect(taken.length / line.length + (dropped[0] ?? 0)).toBe(5000);
  expect(taken.length).toBeLessThanOrEqual((4 << 20) + line.length);
});

test.each([
  ['is full', 'ENOSPC', 0],
  ['is closed', 'EPIPE', 0],
  ['has a reader that does not read', 'EAGAIN', 1000],
  ['never answers', 'hangs', 1000],
])('P8: flush() gives up where the way out %s (%s) after %d ms', async (_what, how, afterMs) => {
  const { writer } = scene();
  way = how;
  writer.write('last words\n');
  const started = performance.now();
  let tookMs: number | null = null;
  const flushed = writer.flush().then(() => {
    tookMs = performance.now() - started;
  });
  await vi.advanceTimersByTimeAsync(afterMs);
  await flushed;
  expect(tookMs).toBe(afterMs);
});

test('flush() ends when everything is written', async () => {
  const { writer } = scene();
  way = 7;
  for (let count = 0; count < 20; count += 1) writer.write(`line ${count}\n`);
  await writer.flush();
  expect(taken).toBe(Array.from({ length: 20 }, (_, count) => `line ${count}\n`).join(''));
});
