import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVarInt } from '../../src/varint.ts';

/** The encoder of the specification (5.0, 1.5.5). */
function encode(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}

test('P1: what the encoder of the specification wrote is read, at any place, and cut anywhere it is "more"', () => {
  const edges = fc.constantFrom(0, 127, 128, 256, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455);
  fc.assert(
    fc.property(fc.oneof(edges, fc.nat(268_435_455)), fc.uint8Array({ maxLength: 5 }), (value, before) => {
      const encoded = encode(value);
      const bytes = Buffer.concat([before, encoded, Buffer.from([0xff])]);
      const end = before.length + encoded.length;
      expect(readVarInt(bytes, before.length)).toEqual({ kind: 'value', value, end, isOverlong: false });
      for (let cut = before.length; cut < end; cut += 1)
        expect(readVarInt(bytes.subarray(0, cut), before.length)).toEqual({ kind: 'more' });
    }),
  );
});

test.each([
  ['80 80 80 80', 'a fourth byte that says that more follow'],
  ['ff ff ff ff 7f', 'a fifth byte'],
])('P7: %s is bad: %s', hex => {
  expect(readVarInt(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 0)).toEqual({ kind: 'bad' });
});

test.each([
  ['8000', 0, 2],
  ['808000', 0, 3],
  ['ff00', 127, 2],
])('%s says %d with more bytes than it needs', (hex, value, end) => {
  expect(readVarInt(Buffer.from(hex, 'hex'), 0)).toEqual({ kind: 'value', value, end, isOverlong: true });
});

test('behind the last byte there is more to come', () => {
  expect(readVarInt(Buffer.from([1]), 1)).toEqual({ kind: 'more' });
});
