import { expect, test } from 'vitest';
import { ADDRESS_BYTES } from '../../../src/native/addon.ts';
import { peerAddress } from '../../../src/native/peer_address.ts';

/** An address as the engine writes it, behind `before` bytes of something else. */
function written(family: 4 | 6, address: readonly number[], port: number, before = 0): Buffer {
  const bytes = Buffer.alloc(before + ADDRESS_BYTES, 0xee);
  bytes[before] = family;
  Buffer.from(address).copy(bytes, before + 1);
  bytes.writeUInt16BE(port, before + 17);
  return bytes;
}

const V6 = (...words: number[]): number[] => words.flatMap(word => [word >> 8, word & 0xff]);

test.each([
  [4, [192, 0, 2, 7], 1883, '192.0.2.7'],
  [4, [0, 0, 0, 0], 0, '0.0.0.0'],
  [4, [255, 255, 255, 255], 65_535, '255.255.255.255'],
  [6, V6(0, 0, 0, 0, 0, 0, 0, 1), 8883, '::1'],
  [6, V6(0, 0, 0, 0, 0, 0, 0, 0), 1, '::'],
  [6, V6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7), 256, '2001:db8::7'],
  // RFC 5952: the longest run is shortened, the first of two that are equal, and never a single zero.
  [6, V6(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), 255, '2001:db8:0:1:1:1:1:1'],
  [6, V6(0x2001, 0, 0, 1, 0, 0, 0, 1), 80, '2001:0:0:1::1'],
  [6, V6(0xfe80, 0, 0, 0, 0xabcd, 0, 0, 0x10), 80, 'fe80::abcd:0:0:10'],
] as const)('P12: family %i, %j, port %i', (family, address, port, expected) => {
  for (const before of [0, 5]) {
    expect(peerAddress(written(family, address, port, before), before)).toEqual({ address: expected, port });
  }
});
