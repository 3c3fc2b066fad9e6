import { describe, expect, it } from 'vitest';
import { readRedirect, readSlots, slotCount, slotOf } from '../../src/slots.ts';

const asked = { host: '10.0.0.9', port: 7000 };
const server = (host: unknown, port: unknown): unknown[] => [host, port, 'a'.repeat(40), []];

describe('slots', () => {
  it.each([
    // By `CLUSTER KEYSLOT` of Redis 7.0.15.
    ['123456789', 12_739],
    ['limpet:stick:emqx:device-1', 4358],
    ['limpet:stick:emqx:{device}-1', slotOf('device')],
    ['limpet:stick:emqx:{}-1', 8914],
  ])('of %s', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  it('a map in the order of slots, a master of several ranges once', () => {
    const map = readSlots(
      [
        [100, 199, server('b', 2), server('r', 3)],
        [0, 99, server('a', 1)],
        [200, 16_383, server('a', 1)],
      ],
      asked,
    );
    expect(map?.shards).toEqual([
      { place: { host: 'a', port: 1 }, firstSlot: 0 },
      { place: { host: 'b', port: 2 }, firstSlot: 100 },
    ]);
    expect([0, 99, 100, 199, 200, slotCount - 1].map(slot => map?.owners[slot])).toEqual([0, 0, 1, 1, 0, 0]);
    expect(map?.replicas).toEqual([{ host: 'r', port: 3 }]);
  });

  it('a slot that nobody has, and a server that does not know its own host', () => {
    const map = readSlots([[5, 5, server(null, 7001)]], asked);
    expect(map?.shards).toEqual([{ place: { host: '10.0.0.9', port: 7001 }, firstSlot: 5 }]);
    expect([4, 5, 6].map(slot => map?.owners[slot])).toEqual([-1, 0, -1]);
    for (const host of ['', '?'])
      expect(readSlots([[0, 0, server(host, 1)]], asked)?.shards[0]?.place.host).toBe('10.0.0.9');
  });

  it.each([
    ['no list', 'OK'],
    ['an empty one', []],
    ['a slot too many', [[0, 16_384, server('a', 1)]]],
    ['a range that ends before it begins', [[9, 8, server('a', 1)]]],
    ['no server', [[0, 9]]],
    ['a port that does not exist', [[0, 9, server('a', 65_536)]]],
    ['a port that is text', [[0, 9, server('a', '1')]]],
    ['a host that is too long', [[0, 9, server('a'.repeat(256), 1)]]],
    ['more servers than any cluster has', Array.from({ length: 1001 }, (_, i) => [i, i, server('a', i + 1)])],
  ])('is not read from %s', (_, reply) => {
    expect(readSlots(reply, asked)).toBeNull();
  });
});

describe('where a server sends us', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'MOVED', slot: 3999, place: { host: '127.0.0.1', port: 6381 } }],
    [
      'ASK 3999 redis-2.example.com:6381',
      { kind: 'ASK', slot: 3999, place: { host: 'redis-2.example.com', port: 6381 } },
    ],
    ['MOVED 0 2001:db8::1:7000', { kind: 'MOVED', slot: 0, place: { host: '2001:db8::1', port: 7000 } }],
    ['MOVED 7 :7001', { kind: 'MOVED', slot: 7, place: { host: '10.0.0.9', port: 7001 } }],
    ['MOVED 99999 127.0.0.1:6381', null],
    ['MOVED 1 127.0.0.1:99999', null],
    ['ERR MOVED', null],
    ['WRONGTYPE Operation', null],
  ])('%s', (text, redirect) => {
    expect(readRedirect(text, asked)).toEqual(redirect);
  });
});
