import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HeapRest, processHeap } from '../../../src/process/heap_rest.ts';

const MB = 1024 * 1024;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A heap in the test's hand; a collection leaves half of what is used, and gives back half of what is spare. */
function scene() {
  const heap = { used: 10 * MB, taken: 20 * MB, collections: 0 };
  const rest = new HeapRest({
    look: () => heap,
    collect: async () => {
      heap.collections += 1;
      heap.used /= 2;
      heap.taken = heap.used + (heap.taken - heap.used) / 2;
    },
  });
  const looks = async (count: number, grow: number): Promise<number> => {
    for (let i = 0; i < count; i++) {
      heap.used += grow;
      await vi.advanceTimersByTimeAsync(2000);
    }
    return heap.collections;
  };
  return { heap, rest, looks };
}

test('a heap that has grown is collected when it is calm, until little is spare', async () => {
  const { heap, looks } = scene();
  expect(await looks(1, 0)).toBe(0);
  expect(await looks(2, 0.1 * MB)).toBe(0);
  expect(await looks(1, 0.1 * MB)).toBe(1);
  expect(await looks(100, 0.01 * MB)).toBe(3);
  heap.taken += 3 * MB;
  expect(await looks(20, 0)).toBe(3);
  heap.taken += 2 * MB;
  expect(await looks(20, 0)).toBe(5);
});

test('V8 may keep what it likes: it is asked five times', async () => {
  const { heap, rest } = scene();
  rest.close();
  const stubborn = new HeapRest({
    look: () => ({ used: 1 * MB, taken: 40 * MB }),
    collect: async () => {
      heap.collections += 1;
    },
  });
  await vi.advanceTimersByTimeAsync(200_000);
  expect(heap.collections).toBe(5);
  stubborn.close();
});

test('one that is busy is not, and neither is one whose collection would take long', async () => {
  const { heap, looks } = scene();
  expect(await looks(100, 1 * MB)).toBe(0);
  heap.taken = 70 * MB;
  expect(await looks(100, 0)).toBe(0);
});

test('what V8 gave back by itself counts as grown again', async () => {
  const { heap, looks } = scene();
  heap.taken = 60 * MB;
  heap.used = 59 * MB;
  const first = await looks(20, 0);
  Object.assign(heap, { taken: 12 * MB, used: 10 * MB });
  expect(await looks(1, 0)).toBe(first);
  heap.taken = 30 * MB;
  expect(await looks(20, 0)).toBeGreaterThan(first);
});

test('closed, it looks no more', async () => {
  const { rest, looks } = scene();
  rest.close();
  expect(await looks(100, 0)).toBe(0);
});

test('this process: what is not used any more is collected, and nobody else is shown the collector', async () => {
  const heap = processHeap();
  let storm: unknown[] | null = Array.from({ length: 200_000 }, (_, i) => ({ i }));
  expect(storm.length).toBe(200_000);
  const before = heap.look();
  expect(before.taken).toBeGreaterThan(before.used);
  storm = null;
  await heap.collect();
  expect(heap.look().used).toBeLessThan(before.used - 4 * MB);
  expect('gc' in globalThis).toBe(false);
});
