import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unmask } from '../../../src/websocket/unmask.ts';

test('P1: words and bytes give the same, at every alignment, phase and length', () => {
  const key = fc.integer({ min: -0x80000000, max: 0x7fffffff });
  const place = fc.record({ start: fc.nat(9), length: fc.nat(200), phase: fc.nat(9), slack: fc.nat(5) });
  fc.assert(
    fc.property(key, place, fc.nat(7), (mask, { start, length, phase, slack }, offset) => {
      const key4 = Buffer.alloc(4);
      key4.writeInt32BE(mask);
      const source = Buffer.alloc(start + length + slack, 'some bytes');
      const bytes = Buffer.from(new ArrayBuffer(source.length + offset), offset);
      source.copy(bytes);
      unmask(bytes, start, start + length, mask, phase);
      const expected = source.map((byte, at) =>
        at < start || at >= start + length ? byte : byte ^ (key4[(at - start + phase) % 4] ?? 0),
      );
      expect(bytes.equals(expected)).toBe(true);
    }),
  );
});
