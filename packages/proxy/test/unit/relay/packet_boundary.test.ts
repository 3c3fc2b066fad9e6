import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketBoundary } from '../../../src/relay/packet_boundary.ts';

/** Lengths at which the remaining length grows by a byte, and those around. */
const LENGTHS = [0, 1, 2, 126, 127, 128, 129, 256, 16_383, 16_384, 16_385] as const;

/** A packet whose body looks like many small ones. */
function packet(bodyLength: number, type = 0x30): Buffer {
  const head = [type];
  let rest = bodyLength;
  do {
    head.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bodyLength, 0xd0)]);
}

/** Where packets end. */
function endsOf(packets: readonly Buffer[]): Set<number> {
  let at = 0;
  return new Set([0, ...packets.map(one => (at += one.length))]);
}

const anyPackets = fc
  .array(fc.constantFrom(...LENGTHS), { minLength: 1, maxLength: 6 })
  .map(all => all.map(n => packet(n)));

/** The same bytes in any pieces. */
function piecesOf(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map(cut => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => stream.subarray(from, at[i] ?? stream.length));
}

describe('a stream of packets', () => {
  test('every byte of it, alone: it is between packets exactly where one has ended', () => {
    const packets = LENGTHS.slice(0, 8).map(n => packet(n));
    const ends = endsOf(packets);
    const boundary = new PacketBoundary();
    const stream = Buffer.concat(packets);
    for (let at = 0; at < stream.length; at += 1) {
      expect(boundary.isBetween).toBe(ends.has(at));
      boundary.push(stream.subarray(at, at + 1));
    }
    expect(boundary.isBetween).toBe(true);
  });

  test('any packets in any pieces: it is between packets exactly where one has ended', () => {
    fc.assert(
      fc.property(anyPackets, fc.array(fc.nat(), { maxLength: 12 }), (packets, cuts) => {
        const ends = endsOf(packets);
        const boundary = new PacketBoundary();
        let at = 0;
        for (const piece of piecesOf(Buffer.concat(packets), cuts)) {
          boundary.push(piece);
          at += piece.length;
          expect([boundary.isBetween, boundary.isLost]).toEqual([ends.has(at), false]);
        }
      }),
    );
  });

  test('firstEnd(): any packets, any cut, any pieces behind it: the end of the packet that was under way', () => {
    fc.assert(
      fc.property(anyPackets, fc.nat(), fc.array(fc.nat(), { maxLength: 5 }), (packets, cut, cuts) => {
        const stream = Buffer.concat(packets);
        const from = cut % (stream.length + 1);
        const expected = Math.min(...[...endsOf(packets)].filter(end => end >= from));
        const boundary = new PacketBoundary();
        boundary.push(stream.subarray(0, from));
        let at = from;
        for (const piece of piecesOf(stream.subarray(from), cuts)) {
          const end = boundary.firstEnd(piece);
          if (end !== null) {
            expect(at + end).toBe(expected);
            return;
          }
          at += piece.length;
        }
        expect(at).toBeLessThan(expected);
      }),
    );
  });
});

test('the longest packet there is, and the next one', () => {
  const boundary = new PacketBoundary();
  boundary.push(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
  const chunk = Buffer.alloc(1 << 20);
  for (let sent = 0; sent < 255; sent += 1) boundary.push(chunk);
  expect(boundary.isBetween).toBe(false);
  expect(boundary.firstEnd(chunk)).toBe((1 << 20) - 1);
  expect(boundary.isBetween).toBe(true);
});

test.each([1, 2, 3, 7])('what is not MQTT has no boundaries any more, in pieces of %d', size => {
  const stream = Buffer.from([0xd0, 0x00, 0x30, 0xff, 0xff, 0xff, 0xff, 0x01, 0x30, 0x00]);
  const boundary = new PacketBoundary();
  for (let at = 0; at < stream.length; at += size) boundary.push(stream.subarray(at, at + size));
  expect([boundary.isLost, boundary.isBetween]).toEqual([true, false]);
  expect(boundary.firstEnd(Buffer.from([0xd0, 0x00]))).toBeNull();
});
