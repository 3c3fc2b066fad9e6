import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/gate/crc32c.ts';
import { type ProxyFacts, type ProxySsl, tlsFactsOf } from '../../../src/gate/proxy_header.ts';
import { ProxyHeaderReader, type ProxyReading } from '../../../src/gate/proxy_header_reader.ts';
import { sslTlv, tlv, V4_BLOCK, V6_BLOCK, v2, withChecksum } from './proxy_bytes.ts';

function read(...chunks: readonly (Buffer | string)[]): ProxyReading {
  const reader = new ProxyHeaderReader();
  for (const chunk of chunks) {
    const reading = reader.push(Buffer.from(chunk as string, 'latin1'));
    if (reading.kind !== 'more') return reading;
  }
  return { kind: 'more' };
}

const V4 = { source: { address: '192.0.2.1', port: 50000 }, destination: { address: '198.51.100.2', port: 1883 } };
const V6 = { source: { address: '2001:db8::1', port: 50000 }, destination: { address: '2001:db8::2', port: 1883 } };

function v1Line(from: string, to: string): Record<'source' | 'destination', object> {
  return { source: { address: from, port: 1 }, destination: { address: to, port: 2 } };
}

describe('version 1, section 2.1', () => {
  const six = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  test.each([
    ['IPv4', 'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883', V4],
    ['IPv6', 'PROXY TCP6 2001:db8::1 2001:db8::2 50000 1883', V6],
    ['upper case', 'PROXY TCP6 2001:DB8::1 2001:0db8:0:0:0:0:0:2 50000 1883', V6],
    ['port 0', 'PROXY TCP4 192.0.2.1 198.51.100.2 0 65535', expect.objectContaining({})],
    [
      'mapped IPv4, as inet_ntop writes it',
      'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2',
      v1Line('192.0.2.1', '2001:db8::2'),
    ],
    ['mapped IPv4, as the encoder writes it', 'PROXY TCP6 ::ffff:c000:201 ::1 1 2', v1Line('192.0.2.1', '::1')],
    ['UNKNOWN', 'PROXY UNKNOWN', null],
    ['UNKNOWN, and what must be ignored', `PROXY UNKNOWN ${six} ${six} 65535 65535`, null],
    ['UNKNOWN, and anything', 'PROXY UNKNOWN \0\xff  x', null],
  ])('%s', (_what, line, link) => {
    expect(read(`${line}\r\n`)).toEqual({
      kind: 'header',
      header: { version: 1, link, facts: { authority: null, uniqueId: null, ssl: null } },
      headerBytes: line.length + 2,
      rest: Buffer.alloc(0),
    });
  });

  test('the longest line has 107 bytes', () => {
    const line = `PROXY UNKNOWN ${'x'.repeat(91)}`;
    expect(read(`${line}\r\n`)).toMatchObject({ kind: 'header', headerBytes: 107 });
    expect(read(`${line}x\r\n`)).toMatchObject({ kind: 'bad' });
    expect(read(`${line}\r`)).toEqual({ kind: 'more' });
    expect(read(`${line}xx`)).toMatchObject({ kind: 'bad' });
  });

  test.each([
    'PROXY  TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 192.0.2.1  198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883 \r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883 1\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000\r\n',
    'PROXY TCP4\t192.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r',
    'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2\n50000 1883\r\n',
    'PROXY TCP4 192.0.2.01 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 192.0.2 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 3221225985 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 0xc0.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 50000 1883\r\n',
    'PROXY TCP4 192.0.2.1 2001:db8::2 50000 1883\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 50000 1883\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY TCP6 fe80::1%eth0 2001:db8::2 50000 1883\r\n',
    'PROXY TCP6 2001:db8::1::2 2001:db8::2 50000 1883\r\n',
    'PROXY TCP6 [2001:db8::1] 2001:db8::2 50000 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 050000 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 65536 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 -1 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 +1 1883\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 1e3 1883\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY tcp4 192.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY \r\n',
    'proxy TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n',
    'PROXY\r\n',
    ' PROXY UNKNOWN\r\n',
  ])('P7: %j is bad', line => {
    expect(read(line, 'x')).toMatchObject({ kind: 'bad' });
  });

  test.each(['\x10\x0d\x00\x04MQTT', 'GET / HTTP/1.1', '\x16\x03\x01', 'Q', 'PROXX', '\r\n\r\r'])(
    'P7: %j is known to be no header at once',
    start => {
      expect(read(start)).toEqual({ kind: 'bad', detail: 'there is no PROXY header' });
    },
  );
});

describe('version 2, section 2.2', () => {
  test.each([
    ['IPv4', v2(0x21, 0x11, V4_BLOCK), V4],
    ['IPv6', v2(0x21, 0x21, V6_BLOCK), V6],
    ['LOCAL', v2(0x20, 0x00), null],
    ['LOCAL with a block that is to be passed over', v2(0x20, 0x11, V4_BLOCK, Buffer.from([1])), null],
    ['LOCAL with a family that does not exist', v2(0x20, 0xff, Buffer.from('junk')), null],
    ['UNSPEC', v2(0x21, 0x00), null],
    ['UNSPEC with a block that nobody knows the form of', v2(0x21, 0x00, Buffer.from('junk')), null],
    ['UDP over IPv4', v2(0x21, 0x12, V4_BLOCK), null],
    ['UDP over IPv6', v2(0x21, 0x22, V6_BLOCK), null],
    ['IPv4 over nothing that is known', v2(0x21, 0x10, V4_BLOCK), null],
    ['a UNIX stream', v2(0x21, 0x31, Buffer.alloc(216)), null],
    ['a UNIX datagram', v2(0x21, 0x32, Buffer.alloc(216)), null],
    [
      'mapped IPv4',
      v2(0x21, 0x21, Buffer.from(`${'0'.repeat(20)}ffffc0000201${'0'.repeat(31)}100010002`, 'hex')),
      v1Line('192.0.2.1', '::1'),
    ],
  ])('%s', (_what, header, link) => {
    expect(read(Buffer.concat([header, Buffer.from('behind')]))).toMatchObject({
      kind: 'header',
      header: { version: 2, link },
      headerBytes: header.length,
      rest: Buffer.from('behind'),
    });
  });

  test.each([
    ['version 1', v2(0x11, 0x11, V4_BLOCK)],
    ['version 3', v2(0x31, 0x11, V4_BLOCK)],
    ['an unknown command', v2(0x22, 0x11, V4_BLOCK)],
    ['an unknown family', v2(0x21, 0x41, V4_BLOCK)],
    ['an unknown transport', v2(0x21, 0x13, V4_BLOCK)],
    ['IPv4 that is one byte short', v2(0x21, 0x11, V4_BLOCK.subarray(1))],
    ['IPv6 with addresses of IPv4', v2(0x21, 0x21, V4_BLOCK)],
    ['UNIX with addresses of IPv4', v2(0x21, 0x31, V4_BLOCK)],
    ['one byte behind the addresses', v2(0x21, 0x11, V4_BLOCK, Buffer.from([4]))],
    ['two bytes behind the addresses', v2(0x21, 0x11, V4_BLOCK, Buffer.from([4, 0]))],
    ['a TLV that is longer than the header', v2(0x21, 0x11, V4_BLOCK, Buffer.from([4, 0, 1]))],
    ['a byte behind the last TLV', v2(0x21, 0x11, V4_BLOCK, tlv(4, 'x'), Buffer.from([0]))],
    ['two authorities', v2(0x21, 0x11, V4_BLOCK, tlv(2, 'a'), tlv(2, 'a'))],
    ['an authority with a line feed', v2(0x21, 0x11, V4_BLOCK, tlv(2, 'a\nb'))],
    ['an authority that is no UTF-8', v2(0x21, 0x11, V4_BLOCK, tlv(2, Buffer.from([0xc0, 0x80])))],
    ['an authority of 256 bytes', v2(0x21, 0x11, V4_BLOCK, tlv(2, 'a'.repeat(256)))],
    ['a unique id of 129 bytes', v2(0x21, 0x11, V4_BLOCK, tlv(5, 'a'.repeat(129)))],
    ['a checksum of three bytes', v2(0x21, 0x11, V4_BLOCK, tlv(3, 'abc'))],
    ['a wrong checksum', v2(0x21, 0x11, V4_BLOCK, tlv(3, 'abcd'))],
    ['SSL of four bytes', v2(0x21, 0x11, V4_BLOCK, tlv(0x20, Buffer.alloc(4)))],
    ['a TLV in SSL that does not fit', v2(0x21, 0x11, V4_BLOCK, sslTlv(1, 0, Buffer.from([0x21, 0, 9])))],
    ['two common names', v2(0x21, 0x11, V4_BLOCK, sslTlv(7, 0, tlv(0x22, 'a'), tlv(0x22, 'b')))],
    ['a common name with a NUL', v2(0x21, 0x11, V4_BLOCK, sslTlv(7, 0, tlv(0x22, 'a\0b')))],
    ['a common name with a C1 control', v2(0x21, 0x11, V4_BLOCK, sslTlv(7, 0, tlv(0x22, 'a\u0085b')))],
  ])('P7: %s is bad', (_what, header) => {
    expect(read(header)).toMatchObject({ kind: 'bad' });
  });

  test('P7: 16 KiB behind the head, and not a byte more', () => {
    const most = v2(0x21, 0x11, V4_BLOCK, tlv(4, Buffer.alloc(16_384 - 12 - 3)));
    expect(read(most)).toMatchObject({ kind: 'header', headerBytes: 16 + 16_384 });
    const head = v2(0x21, 0x11, V4_BLOCK, tlv(4, Buffer.alloc(16_384 - 12 - 2))).subarray(0, 16);
    expect(read(head)).toMatchObject({ kind: 'bad' });
  });
});

function factsOf(...tlvs: readonly Buffer[]): ProxyFacts {
  const reading = read(v2(0x21, 0x11, V4_BLOCK, ...tlvs));
  if (reading.kind !== 'header') throw new Error(`no header: ${JSON.stringify(reading)}`);
  return reading.header.facts;
}

describe('TLVs of version 2', () => {
  test.each([
    ['nothing that counts', [tlv(1, 'mqtt'), tlv(0x30, 'blue'), tlv(0xea, 'x'), tlv(0xea, 'y'), tlv(4, '')], {}],
    ['authority', [tlv(2, 'mqtt.example.com')], { authority: 'mqtt.example.com' }],
    ['an empty authority', [tlv(2, '')], {}],
    ['a unique id', [tlv(5, 'lb1/2/77')], { uniqueId: 'lb1/2/77' }],
    ['a unique id that is no text', [tlv(5, Buffer.from([0, 1, 0xff]))], { uniqueId: 'hex:0001ff' }],
    ['SSL of a plain client, as HAProxy sends it', [sslTlv(0, 1)], { ssl: null }],
    [
      'SSL with a certificate of this connection',
      [
        sslTlv(
          0x07,
          0,
          tlv(0x21, 'TLSv1.3'),
          tlv(0x22, 'dévice-1'),
          tlv(0x23, 'TLS_AES_256_GCM_SHA384'),
          tlv(0x24, 'x'),
        ),
      ],
      {
        ssl: {
          version: 'TLSv1.3',
          cipher: 'TLS_AES_256_GCM_SHA384',
          cn: 'dévice-1',
          certInConnection: true,
          certInSession: true,
          isVerified: true,
        },
      },
    ],
    [
      'SSL without a certificate is not verified, although HAProxy says 0',
      [sslTlv(0x01, 0, tlv(0x21, 'TLSv1.2'))],
      {
        ssl: {
          version: 'TLSv1.2',
          cipher: null,
          cn: null,
          certInConnection: false,
          certInSession: false,
          isVerified: false,
        },
      },
    ],
  ])('%s', (_what, tlvs, facts) => {
    expect(factsOf(...tlvs)).toEqual({ authority: null, uniqueId: null, ssl: null, ...facts });
  });

  test('CRC-32C, with the vectors of RFC 3720, B.4', () => {
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
    expect(crc32c(Buffer.from('1234'), Buffer.from('56789'))).toBe(0xe3069283);
  });

  test('a checksum is verified over every bit of the header', () => {
    const header = withChecksum(v2(0x21, 0x11, V4_BLOCK, tlv(5, 'id'), tlv(3, '0000')));
    expect(read(header)).toMatchObject({ kind: 'header', header: { facts: { uniqueId: 'id' } } });
    for (let bit = 16 * 8; bit < header.length * 8; bit += 1) {
      const broken = Buffer.from(header);
      broken.writeUInt8(broken.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      // A bit of the checksum's own type makes it another TLV, which nobody checks.
      if (bit >> 3 === header.length - 7) continue;
      expect(read(broken).kind).not.toBe('header');
    }
  });

  test('what the sender knows of TLS, in our own words', () => {
    const ssl: ProxySsl = {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      cn: 'd1',
      certInConnection: false,
      certInSession: true,
      isVerified: true,
    };
    const facts = { authority: 'h', uniqueId: null };
    expect(tlsFactsOf({ ...facts, ssl: null })).toBeNull();
    expect(tlsFactsOf({ ...facts, ssl })).toEqual({
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      sni: 'h',
      resumed: true,
      clientCert: { cn: 'd1', verified: true },
    });
    const bare = { ...ssl, version: null, certInSession: false, isVerified: false };
    expect(tlsFactsOf({ ...facts, ssl: bare })).toMatchObject({ version: 'unknown', resumed: false, clientCert: null });
  });
});

const HEADERS = [
  Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n'),
  Buffer.from('PROXY UNKNOWN \0junk\r\n'),
  v2(0x20, 0x00),
  v2(0x21, 0x21, V6_BLOCK, tlv(4, Buffer.alloc(300)), sslTlv(7, 0, tlv(0x21, 'TLSv1.2'), tlv(0x22, 'd'))),
];

describe('P1: however the stream is cut', () => {
  test('the header is the same, and no byte behind it is lost', () => {
    const cuts = fc.array(fc.nat(420), { maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...HEADERS), fc.uint8Array({ maxLength: 60 }), cuts, (header, behind, at) => {
        const stream = Buffer.concat([header, behind]);
        const whole = read(stream);
        const edges = [0, ...at.filter(cut => cut <= stream.length).sort((a, b) => a - b), stream.length];
        const chunks = edges.slice(1).map((end, index) => stream.subarray(edges[index], end));
        const reader = new ProxyHeaderReader();
        const readings: ProxyReading[] = [];
        while (readings.at(-1)?.kind !== 'header') {
          const chunk = chunks.shift();
          if (chunk === undefined) throw new Error('the header was whole, and the reader wants more');
          readings.push(reader.push(chunk));
        }
        const last = readings.at(-1);
        if (last?.kind !== 'header' || whole.kind !== 'header') throw new Error('no header');
        expect(last.header).toEqual(whole.header);
        expect(last.headerBytes).toBe(header.length);
        expect(Buffer.concat([last.rest, ...chunks])).toEqual(Buffer.from(behind));
      }),
    );
  });

  test.each(HEADERS.map(header => [header.length, header] as const))('byte by byte: %i of them', (_length, header) => {
    const reader = new ProxyHeaderReader();
    const kinds = [...header].map(byte => reader.push(Buffer.from([byte])).kind);
    expect(kinds).toEqual([...Array(header.length - 1).fill('more'), 'header']);
  });
});

describe('P7: whatever comes', () => {
  test('it ends in a header, in bad, or within its limit', () => {
    const noise = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes));
    const damaged = fc
      .tuple(fc.constantFrom(...HEADERS), fc.nat(400), fc.nat(255))
      .map(([header, at, value]) =>
        Buffer.from(header.map((byte, index) => (index === at % header.length ? value : byte))),
      );
    fc.assert(
      fc.property(fc.oneof(noise, damaged), bytes => {
        const reading = read(bytes, Buffer.alloc(16_400, 0x41));
        expect(['header', 'bad', 'more']).toContain(reading.kind);
        if (reading.kind === 'header') expect(reading.headerBytes).toBeLessThanOrEqual(16 + 16_384);
        const flood = read(bytes, Buffer.alloc(16_400, 0x41), Buffer.alloc(16_400, 0x41));
        expect(flood.kind).not.toBe('more');
      }),
      { numRuns: 500 },
    );
  });
});
