import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_CLIENT_HELLO_BYTES, readClientHello } from '../../../src/sni/client_hello.ts';
import { alpn, extension, hello, message, realHello, records, serverName } from './hello_bytes.ts';

const GREASE = extension(0x0a0a, Buffer.from([0]));
const UNKNOWN = extension(0xfe0d, Buffer.alloc(300));

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
    const bytes = await realHello({
      ...options,
      ALPNProtocols: 'ALPNProtocols' in options ? [...options.ALPNProtocols] : [],
    });
    expect(readClientHello(bytes)).toEqual({ kind: 'hello', sni, alpn: protocols });
  });
});

describe('made ones', () => {
  test.each<readonly [string, Buffer, string | null, readonly string[]]>([
    ['no extensions at all', records(message(null)), null, []],
    ['an empty list of extensions', hello(), null, []],
    [
      'GREASE and unknown extensions around',
      hello(GREASE, UNKNOWN, serverName('a.example'), extension(0x1a1a)),
      'a.example',
      [],
    ],
    ['upper case', hello(serverName('A.EXAMPLE')), 'a.example', []],
    ['a dot at the end', hello(serverName('a.example.')), 'a.example', []],
    ['an underscore', hello(serverName('my_broker')), 'my_broker', []],
    ['253 characters', hello(serverName(`${'a.'.repeat(126)}b`)), `${'a.'.repeat(126)}b`, []],
    ['an IPv4 address is no name', hello(serverName('192.0.2.1')), null, []],
    ['an IPv6 address is no name', hello(serverName('2001:db8::1')), null, []],
    ['a protocol that is not printable', hello(alpn('\x0a\x0a', 'mqtt')), null, ['\n\n', 'mqtt']],
    ['bytes behind it', Buffer.concat([hello(serverName('a.example')), Buffer.from('garbage')]), 'a.example', []],
    ['nearly 16 KiB', hello(extension(0xfe0d, Buffer.alloc(16_000)), serverName('a.example')), 'a.example', []],
  ])('%s', (_what, bytes, sni, protocols) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'hello', sni, alpn: protocols });
  });

  test.each([
    ['one byte', 1, 60],
    ['three bytes', 3, 150],
    ['512 bytes', 512, 8_000],
    ['16 KiB', 2 ** 14, 16_000],
  ])('P7: spread over records of %s', (_what, most, padding) => {
    // 64 records at most: as much padding as fits into them.
    const whole = message([serverName('a.b'), extension(0xfe0d, Buffer.alloc(Math.min(padding, 64 * most)))]);
    const bytes = records(whole, most);
    const isTooMany = Math.ceil(whole.length / most) > 64;
    expect(readClientHello(bytes).kind).toBe(isTooMany ? 'bad' : 'hello');
  });
});

describe('P7: what is bad', () => {
  const name = serverName('a.example');
  test.each<readonly [string, Buffer, string]>([
    ['MQTT', Buffer.from('10', 'hex'), 'this is not TLS'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'this is not TLS'],
    ['a PROXY header', Buffer.from('PROXY TCP4'), 'this is not TLS'],
    ['SSL 2', Buffer.from('802e0103010015', 'hex'), 'this is not TLS'],
    ['an alert', Buffer.from('15030100020100', 'hex'), 'this is not TLS'],
    ['an unknown major version', Buffer.from('1604', 'hex'), 'a version that no TLS has'],
    ['an unknown minor version', Buffer.from('160305', 'hex'), 'a version that no TLS has'],
    ['an empty record', Buffer.from('1603010000', 'hex'), 'is empty'],
    ['a record that is too long', Buffer.from('1603014001', 'hex'), 'longer than 16 KiB'],
    ['a ServerHello', records(Buffer.from('02000001', 'hex')), 'begins with no ClientHello'],
    ['a length of 16 MiB', records(Buffer.from('01ffffff', 'hex')), 'longer than 16 KiB'],
    ['one byte more than 16 KiB', records(Buffer.from('01004001', 'hex')), 'longer than 16 KiB'],
    [
      'another record in between',
      Buffer.concat([records(message([name]).subarray(0, 9)), Buffer.from([21])]),
      'no handshake',
    ],
    ['too many records', records(Buffer.concat([message([UNKNOWN])]), 1), 'too many records'],
    ['an extension twice', hello(GREASE, GREASE), 'an extension twice'],
    ['two server names', hello(serverName('a.example', 'b.example')), 'two server names'],
    ['no server name in the list', hello(serverName()), 'malformed'],
    ['an empty name', hello(serverName('')), 'no host name'],
    ['a space in the name', hello(serverName('a b')), 'no host name'],
    ['a NUL in the name', hello(serverName('a.example\0')), 'no host name'],
    ['a line feed in the name', hello(serverName('a.example\n')), 'no host name'],
    ['a name that is not ASCII', hello(serverName('bröker')), 'no host name'],
    [
      'a name of 254 characters',
      hello(serverName('a'.repeat(63).concat('.').repeat(3).concat('b'.repeat(62)))),
      'no host name',
    ],
    ['a label of 64 characters', hello(serverName('a'.repeat(64))), 'no host name'],
    ['two dots', hello(serverName('a..b')), 'no host name'],
    ['a list longer than its extension', hello(extension(0, Buffer.from('00ff000001', 'hex'))), 'malformed'],
    ['bytes behind the list', hello(extension(0, Buffer.from('000400000161ff', 'hex'))), 'malformed'],
    ['an empty list of protocols', hello(alpn()), 'malformed'],
    ['an empty protocol', hello(alpn('')), 'malformed'],
    ['an extension longer than the hello', hello(Buffer.from('fe0dffff', 'hex')), 'malformed'],
    [
      'bytes behind the extensions',
      records(Buffer.concat([Buffer.from('01000003', 'hex'), Buffer.alloc(3)])),
      'malformed',
    ],
  ])('%s', (_what, bytes, detail) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'bad', detail: expect.stringContaining(detail) });
  });

  test('nothing at all says nothing', () => {
    expect(readClientHello(Buffer.alloc(0))).toEqual({ kind: 'more' });
  });

  test('any bytes get an answer, and `more` only within the limit', () => {
    const prefix = fc.constantFrom(Buffer.alloc(0), Buffer.from([22, 3, 1]), hello(GREASE).subarray(0, 60));
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        expect(['more', 'hello', 'bad']).toContain(readClientHello(Buffer.concat([head, tail])).kind);
      }),
      { numRuns: 500 },
    );
    const endless = records(Buffer.concat([Buffer.from('01004000', 'hex'), Buffer.alloc(16_383)]), 257);
    expect(endless.length).toBe(MAX_CLIENT_HELLO_BYTES - 1);
    expect(readClientHello(endless)).toEqual({ kind: 'more' });
    expect(readClientHello(Buffer.concat([endless, Buffer.from([0])])).kind).not.toBe('more');
  });
});

describe('P7: however it is cut', () => {
  const whole = hello(GREASE, serverName('a.example'), alpn('mqtt'), UNKNOWN);
  const expected = { kind: 'hello', sni: 'a.example', alpn: ['mqtt'] };

  test('every beginning of a ClientHello asks for more', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(readClientHello(whole.subarray(0, length))).toEqual({ kind: 'more' });
    }
    expect(readClientHello(whole)).toEqual(expected);
  });

  test('records of any length say the same, at the same byte', () => {
    const handshake = message([GREASE, serverName('a.example'), alpn('mqtt')]);
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 400 }), most => {
        const bytes = records(handshake, most);
        expect(readClientHello(bytes)).toEqual(expected);
        expect(readClientHello(bytes.subarray(0, -1))).toEqual({ kind: 'more' });
      }),
    );
  });
});
