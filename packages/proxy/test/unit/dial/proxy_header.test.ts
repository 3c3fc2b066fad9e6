import { PassThrough } from 'node:stream';
import { protocolDecoder } from 'aedes-protocol-decoder';
import { describe, expect, test } from 'vitest';
import type { ProxyTlv } from '../../../src/config/resolved.ts';
import { encodeProxyHeader, type ProxiedLink } from '../../../src/dial/proxy_header.ts';
import type { ClientCertFacts, TlsFacts } from '../../../src/stages.ts';

function link(source: string, destination: string, tls: TlsFacts | null = null): ProxiedLink {
  return { source: { address: source, port: 50000 }, destination: { address: destination, port: 1883 }, tls };
}

function header(version: 1 | 2, of: ProxiedLink, tlvs: readonly ProxyTlv[] = [], uniqueId = 'lb1/2/77'): Buffer {
  return encodeProxyHeader({ version, tlvs }, of, uniqueId);
}

const V4 = link('192.0.2.1', '198.51.100.2');
const V6 = link('2001:db8::1', '2001:db8::2');
const MIXED = link('192.0.2.1', '2001:db8::2');
const MAPPED = link('::ffff:192.0.2.1', '198.51.100.2');

describe('version 1, section 2.1', () => {
  test.each([
    ['IPv4', V4, 'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n'],
    ['IPv6', V6, 'PROXY TCP6 2001:db8::1 2001:db8::2 50000 1883\r\n'],
    ['IPv4-mapped', MAPPED, 'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n'],
    ['IPv4 to IPv6', MIXED, 'PROXY TCP6 ::ffff:c000:201 2001:db8::2 50000 1883\r\n'],
    ['IPv6 to IPv4', link('2001:db8::2', '192.0.2.1'), 'PROXY TCP6 2001:db8::2 ::ffff:c000:201 50000 1883\r\n'],
    ['an IPv6 zone', link('fe80::1%eth0', '2001:db8::2'), 'PROXY TCP6 fe80::1 2001:db8::2 50000 1883\r\n'],
    ['a check', 'local', 'PROXY UNKNOWN\r\n'],
    ['no IP address', link('', '192.0.2.1'), 'PROXY UNKNOWN\r\n'],
  ] as const)('%s', (_what, of, expected) => {
    expect(header(1, of).toString('latin1')).toBe(expected);
  });

  test('has no TLVs', () => {
    expect(header(1, V4, ['unique_id'])).toEqual(header(1, V4));
  });
});

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const PORTS = 'c350075b';

describe('version 2, section 2.2, byte by byte', () => {
  test.each([
    ['IPv4', V4, `${SIGNATURE}2111000cc0000201c6336402${PORTS}`],
    ['IPv4-mapped', MAPPED, `${SIGNATURE}2111000cc0000201c6336402${PORTS}`],
    ['IPv6', V6, `${SIGNATURE}2121002420010db800000000000000000000000120010db8000000000000000000000002${PORTS}`],
    [
      'IPv4 to IPv6',
      MIXED,
      `${SIGNATURE}2121002400000000000000000000ffffc000020120010db8000000000000000000000002${PORTS}`,
    ],
    ['a check', 'local', `${SIGNATURE}20000000`],
    ['no IP address', link('/run/x.sock', '192.0.2.1'), `${SIGNATURE}20000000`],
  ] as const)('%s', (_what, of, expected) => {
    expect(header(2, of).toString('hex')).toBe(expected);
  });

  test('the unique id is a TLV of type 5, counted in the length', () => {
    const plain = header(2, V4);
    const value = Buffer.from('lb1/2/77').toString('hex');
    expect(header(2, V4, ['unique_id']).toString('hex')).toBe(
      `${SIGNATURE}21110017${plain.subarray(16).toString('hex')}050008${value}`,
    );
  });

  test('a unique id is cut at 128 bytes (2.2.5), and a check has none', () => {
    const long = header(2, V4, ['unique_id'], 'x'.repeat(300));
    expect(long.length).toBe(16 + 12 + 3 + 128);
    expect(long.readUInt16BE(14)).toBe(12 + 3 + 128);
    expect(header(2, 'local', ['unique_id'])).toEqual(header(2, 'local'));
  });
});

describe('the TLV of TLS, section 2.2.6', () => {
  const certificate = (cn: string | null, verified = true): ClientCertFacts => ({ cn, verified });
  const facts = (clientCert: ClientCertFacts | null, resumed = false): TlsFacts => {
    return { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', sni: 'broker', resumed, clientCert };
  };
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  const VERSION = `210007${hex('TLSv1.3')}`;
  const tlvs = (tls: TlsFacts | null, ...names: readonly ProxyTlv[]): string => {
    const bytes = header(2, link('192.0.2.1', '198.51.100.2', tls), names);
    expect(bytes.readUInt16BE(14)).toBe(bytes.length - 16);
    return bytes.subarray(28).toString('hex');
  };

  test.each<readonly [string, TlsFacts | null, string]>([
    ['no TLS', null, '200005' + '0000000000'],
    ['TLS', facts(null), `20000f0100000000${VERSION}`],
    ['a certificate', facts(certificate('a')), `20000f0700000000${VERSION}`],
    ['a certificate of a resumed session', facts(certificate('a'), true), `20000f0500000000${VERSION}`],
    ['a certificate that is not verified', facts(certificate('a', false)), `20000f0700000001${VERSION}`],
  ])('ssl: %s', (_what, tls, expected) => {
    expect(tlvs(tls, 'ssl')).toBe(expected);
  });

  test.each<readonly [string, TlsFacts | null, string]>([
    ['no TLS', null, '200005' + '0000000000'],
    ['no certificate', facts(null), `20000f0100000000${VERSION}`],
    ['the common name', facts(certificate('meter 7')), `2000190700000000${VERSION}220007${hex('meter 7')}`],
    ['in UTF-8', facts(certificate('Zähler')), `2000190700000000${VERSION}220007${hex('Zähler')}`],
    ['no common name', facts(certificate(null)), `20000f0700000000${VERSION}`],
    ['an empty one', facts(certificate('')), `20000f0700000000${VERSION}`],
    ['P7: a line feed in it', facts(certificate('a\nb')), `20000f0700000000${VERSION}`],
    ['P7: a NUL in it', facts(certificate('a\0')), `20000f0700000000${VERSION}`],
    ['P7: a C1 control in it', facts(certificate('a\u0085')), `20000f0700000000${VERSION}`],
    ['P7: one that is too long', facts(certificate('ä'.repeat(129))), `20000f0700000000${VERSION}`],
    ['one that nobody has verified', facts(certificate('a', false)), `20000f0700000001${VERSION}`],
  ])('cn: %s', (_what, tls, expected) => {
    expect(tlvs(tls, 'ssl', 'cn')).toBe(expected);
    expect(tlvs(tls, 'cn')).toBe(expected);
  });

  test('the longest common name has 256 bytes', () => {
    expect(tlvs(facts(certificate('ä'.repeat(128))), 'cn')).toContain(`220100${hex('ä'.repeat(128))}`);
  });

  test('the unique id stands before it, and a check has neither', () => {
    const id = `050008${hex('lb1/2/77')}`;
    expect(tlvs(facts(null), 'ssl', 'unique_id')).toBe(`${id}20000f0100000000${VERSION}`);
    expect(header(2, 'local', ['ssl', 'cn'])).toEqual(header(2, 'local'));
    expect(header(1, link('192.0.2.1', '198.51.100.2', facts(null)), ['ssl'])).toEqual(header(1, V4));
  });
});

describe('a decoder that nobody here wrote', () => {
  test.each([
    ['version 1, IPv4', 1, V4, '192.0.2.1'],
    ['version 1, IPv6', 1, V6, '2001:db8::1'],
    ['version 2, IPv4', 2, V4, '192.0.2.1'],
    ['version 2, IPv6', 2, link('2001:db8:1:2:3:4:5:6', '2001:db8::2'), '2001:db8:1:2:3:4:5:6'],
  ] as const)('sees the client: %s', (_what, version, of, address) => {
    const connect = Buffer.from('100d00044d51545404020000000161', 'hex');
    const decoded = protocolDecoder(new PassThrough(), Buffer.concat([header(version, of), connect]));
    expect(decoded).toMatchObject({
      ipAddress: address,
      port: 50000,
      serverPort: 1883,
      isProxy: version,
      data: connect,
    });
  });
});
