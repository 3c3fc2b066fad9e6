import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HELLO_BYTES, readClientHello } from '../../../src/tls/client_hello.ts';
import { alpn, extension, hello, message, realHello, records, serverName } from './hello_bytes.ts';

const GREASE = extension(0x0a0a, Buffer.from([0]));
const UNKNOWN = extension(0xfe0d, Buffer.alloc(300));
const NAME = serverName('a.example');

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('what Node sends', () => {
  test.each([
    ['a name', { servername: 'Broker.Example.com' }, 'broker.example.com', []],
    [
      'a name and protocols',
      { servername: 'a.example', ALPNProtocols: ['mqtt', 'http/1.1'] },
      'a.example',
      ['mqtt', 'http/1.1'],
    ],
    ['no name', {}, null, []],
    ['TLS 1.2 only', { servername: 'a.example', maxVersion: 'TLSv1.2' }, 'a.example', []],
    ['TLS 1.3 only', { servername: 'a.example', minVersion: 'TLSv1.3' }, 'a.example', []],
  ] as const)('%s', async (_what, options, sni, protocols) => {
    const ALPNProtocols = 'ALPNProtocols' in options ? [...options.ALPNProtocols] : [];
    const bytes = await realHello({ ...options, ALPNProtocols });
    expect(readClientHello(bytes)).toEqual({ kind: 'hello', hello: { sni, alpn: protocols } });
  });
});

describe('made ones', () => {
  test.each<readonly [string, Buffer, string | null, readonly string[]]>([
    ['no extensions at all', records(message(null)), null, []],
    ['an empty list of extensions', hello(), null, []],
    ['GREASE and unknown extensions around', hello(GREASE, UNKNOWN, NAME, extension(0x1a1a)), 'a.example', []],
    ['upper case', hello(serverName('A.EXAMPLE')), 'a.example', []],
    ['a dot at the end', hello(serverName('a.example.')), 'a.example', []],
    ['an underscore', hello(serverName('my_broker')), 'my_broker', []],
    ['253 characters', hello(serverName(`${'a.'.repeat(126)}b`)), `${'a.'.repeat(126)}b`, []],
    ['an IPv4 address is no name', hello(serverName('192.0.2.1')), null, []],
    ['an IPv6 address is no name', hello(serverName('2001:db8::1')), null, []],
    ['a protocol that is not printable', hello(alpn('\x0a\x0a', 'mqtt')), null, ['\n\n', 'mqtt']],
    ['a name and protocols', hello(NAME, alpn('mqtt'), UNKNOWN), 'a.example', ['mqtt']],
    ['bytes behind it', Buffer.concat([hello(NAME), Buffer.from('garbage')]), 'a.example', []],
    ['nearly 32 KiB', hello(extension(0xfe0d, Buffer.alloc(32_500)), NAME), 'a.example', []],
  ])('%s', (_what, bytes, sni, protocols) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'hello', hello: { sni, alpn: protocols } });
  });

  test('in two records, split anywhere', () => {
    const whole = message([serverName('split.example'), UNKNOWN]);
    for (let at = 1; at < whole.length; at += 1) {
      const bytes = Buffer.concat([records(whole.subarray(0, at)), records(whole.subarray(at))]);
      expect(readClientHello(bytes), `at ${at}`).toMatchObject({ kind: 'hello', hello: { sni: 'split.example' } });
    }
  });

  test.each([
    ['64 records of one byte', 1, 'bad'],
    ['64 records of three bytes', 3, 'hello'],
    ['records of 512 bytes', 512, 'hello'],
  ])('P7: 150 bytes in %s', (_what, most, kind) => {
    const padding = 150 - message([extension(0xfe0d)]).length;
    const whole = message([extension(0xfe0d, Buffer.alloc(padding))]);
    expect(whole).toHaveLength(150);
    expect(readClientHello(records(whole, most)).kind).toBe(kind);
  });
});

describe('P7: what is not TLS', () => {
  test.each<[string, Buffer, string]>([
    ['MQTT', hex('100c0004'), 'an MQTT CONNECT without TLS'],
    ['HTTP', Buffer.from('GET / HTTP/1.1'), 'an HTTP request without TLS'],
    ['a PROXY header', Buffer.from('PROXY TCP4'), 'an HTTP request without TLS'],
    ['SSL 2', hex('802e0103010015'), 'first byte 0x80'],
    ['an alert', hex('15030100020100'), 'first byte 0x15'],
    ['one byte of anything', hex('ff'), 'first byte 0xff'],
  ])('%s', (_what, bytes, detail) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'stranger', detail });
  });
});

describe('P7: what is bad', () => {
  const longName = 'a'.repeat(63).concat('.').repeat(3).concat('b'.repeat(62));
  test.each<readonly [string, Buffer, string]>([
    ['an unknown major version', hex('1604'), 'a version that no TLS has'],
    ['an unknown minor version', hex('160305'), 'a version that no TLS has'],
    ['an empty record', hex('1603010000'), 'is empty'],
    ['a record that is too long', hex('1603014001'), 'longer than 16 KiB'],
    ['a ServerHello', records(hex('02000001')), 'begins with no ClientHello'],
    ['a length of 16 MiB', records(hex('01ffffff')), 'longer than 32 KiB'],
    ['one byte more than 32 KiB', records(hex('01007ffd')), 'longer than 32 KiB'],
    ['another record in between', Buffer.concat([records(message([NAME]).subarray(0, 9)), hex('15')]), 'no handshake'],
    ['another version in between', Buffer.concat([records(message([NAME]).subarray(0, 9)), hex('1602')]), 'no TLS has'],
    ['too many records', records(message([UNKNOWN]), 1), 'too many records'],
    ['an extension twice', hello(GREASE, GREASE), 'an extension twice'],
    ['two server names', hello(serverName('a.example', 'b.example')), 'two server names'],
    ['no server name in the list', hello(serverName()), 'malformed'],
    ['an empty name', hello(serverName('')), 'no host name'],
    ['a space in the name', hello(serverName('a b')), 'no host name'],
    ['a NUL in the name', hello(serverName('a.example\0.evil')), 'no host name'],
    ['a line feed in the name', hello(serverName('a.example\n')), 'no host name'],
    ['a name that is not ASCII', hello(serverName('bröker')), 'no host name'],
    ['a name of 254 characters', hello(serverName(longName)), 'no host name'],
    ['a label of 64 characters', hello(serverName('a'.repeat(64))), 'no host name'],
    ['two dots', hello(serverName('a..b')), 'no host name'],
    ['a list longer than its extension', hello(extension(0, hex('00ff000001'))), 'malformed'],
    ['a name longer than its list', hello(extension(0, hex('0004000032' + '61'))), 'malformed'],
    ['bytes behind the list', hello(extension(0, hex('000400000161ff'))), 'malformed'],
    ['an empty list of protocols', hello(alpn()), 'malformed'],
    ['an empty protocol', hello(alpn('')), 'malformed'],
    ['a protocol longer than its list', hello(extension(16, hex('00023261'))), 'malformed'],
    ['an extension longer than the hello', hello(hex('fe0dffff')), 'malformed'],
    ['bytes behind the extensions', records(behind(message([]), 1)), 'malformed'],
    ['a message of three bytes', records(hex('01000003000000')), 'malformed'],
  ])('%s', (_what, bytes, detail) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'bad', detail: expect.stringContaining(detail) });
  });

  test('a message that never ends is told at the limit', () => {
    const endless = records(Buffer.concat([hex('01007ffc'), Buffer.alloc(MAX_HELLO_BYTES)]));
    const reading = readClientHello(endless.subarray(0, MAX_HELLO_BYTES));
    expect(reading).toEqual({ kind: 'bad', detail: 'the ClientHello is longer than 32 KiB' });
  });
});

/** The message with so many bytes more in its body. */
function behind(handshake: Buffer, count: number): Buffer {
  const longer = Buffer.concat([handshake, Buffer.alloc(count)]);
  longer.writeUIntBE(longer.length - 4, 1, 3);
  return longer;
}

describe('P7: however it comes', () => {
  test('nothing at all says nothing', () => {
    expect(readClientHello(Buffer.alloc(0))).toEqual({ kind: 'more', atLeastBytes: 5 });
  });

  test('every beginning of it is `more`, and promises no more than it needs', () => {
    for (const most of [400, 100, 17]) {
      const bytes = records(message([GREASE, NAME, alpn('mqtt'), UNKNOWN]), most);
      for (let length = 0; length < bytes.length; length += 1) {
        const reading = readClientHello(bytes.subarray(0, length));
        if (reading.kind !== 'more') throw new Error(`${reading.kind} after ${length} bytes`);
        expect(reading.atLeastBytes).toBeGreaterThan(length);
        expect(reading.atLeastBytes).toBeLessThanOrEqual(bytes.length);
      }
    }
  });

  test('records of any length say the same, at the same byte', () => {
    const handshake = message([GREASE, NAME, alpn('mqtt')]);
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 400 }), most => {
        const bytes = records(handshake, most);
        expect(readClientHello(bytes)).toEqual({ kind: 'hello', hello: { sni: 'a.example', alpn: ['mqtt'] } });
        expect(readClientHello(bytes.subarray(0, -1))).toEqual({ kind: 'more', atLeastBytes: bytes.length });
      }),
    );
  });

  test('anything at all gets an answer, and never one that waits beyond the limit', () => {
    const valid = hello(NAME, alpn('mqtt'));
    const mutated = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(255))
      .map(([at, value]) => Buffer.concat([valid.subarray(0, at), Buffer.from([value]), valid.subarray(at + 1)]));
    const prefix = fc.constantFrom(Buffer.alloc(0), hex('160301'), valid.subarray(0, 60));
    const prefixed = fc.tuple(prefix, fc.uint8Array({ maxLength: 400 })).map(parts => Buffer.concat(parts));
    fc.assert(
      fc.property(fc.oneof(mutated, prefixed), bytes => {
        const reading = readClientHello(bytes);
        if (reading.kind !== 'more') return true;
        return reading.atLeastBytes > bytes.length && reading.atLeastBytes <= MAX_HELLO_BYTES + 5;
      }),
      { numRuns: 2000 },
    );
  });
});
