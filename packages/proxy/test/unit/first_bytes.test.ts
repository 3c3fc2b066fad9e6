import { expect, test } from 'vitest';
import { FirstBytes } from '../../src/first_bytes.ts';
import { PrereadPool } from '../../src/preread_pool.ts';

test('P7: a chunk that makes them large is reserved, and refused where there is no room', () => {
  const pool = new PrereadPool(6000);
  const first = new FirstBytes(pool);
  first.keep(Buffer.alloc(4000), () => {});
  expect(pool.usedBytes).toBe(0);
  expect(first.add(Buffer.alloc(1000))).toBe(true);
  expect([pool.usedBytes, first.bytes.length, first.isLost]).toEqual([5000, 5000, false]);
  expect(first.add(Buffer.alloc(1001))).toBe(false);
  expect(first.isLost).toBe(true);
  first.forget();
  expect([pool.usedBytes, first.isLost]).toEqual([0, true]);
});

test('P7: what was evicted is lost, is told once, and takes no more', () => {
  const pool = new PrereadPool(6000);
  const first = new FirstBytes(pool);
  let told = 0;
  first.keep(Buffer.alloc(6000), () => {
    told += 1;
  });
  expect(new FirstBytes(pool).keep(Buffer.alloc(5000), () => {})).toBe(true);
  expect([told, first.isLost, first.bytes.length]).toEqual([1, true, 0]);
  expect(first.add(Buffer.alloc(1))).toBe(false);
});
