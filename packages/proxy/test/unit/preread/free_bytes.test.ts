import { expect, test } from 'vitest';
import { freeBytes } from '../../../src/preread/free_bytes.ts';

const canFree = 'transfer' in ArrayBuffer.prototype;

test('memory is given back where Node can', () => {
  const buffer = Buffer.allocUnsafeSlow(8192);
  const view = buffer.subarray(10, 20);
  freeBytes(buffer);
  expect([buffer.length, view.length]).toEqual(canFree ? [0, 0] : [8192, 10]);
});

test('what is small, or shares its memory with others, is left alone', () => {
  const small = Buffer.allocUnsafeSlow(4095);
  freeBytes(small);
  expect(small.length).toBe(4095);
  const whole = Buffer.allocUnsafeSlow(10_000);
  freeBytes(whole.subarray(0, 9999));
  expect(whole.length).toBe(10_000);
  const pooled = Buffer.from('x');
  freeBytes(pooled);
  expect(pooled.toString()).toBe('x');
});
