import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HELLO_BYTES, readClientHello } from '../../../src/tls/client_hello.ts';

const u8 = (value: number): Buffer => Buffer.from([value]);
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);
const block8 = (bytes: Buffer): Buffer => Buffer.concat([u8(bytes.length), bytes]);
const block16 = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);

const serverName = (name: string): Buffer =>
  Buffer.concat([u16(0), block16(block16(Buffer.concat([u8(0), block16(Buffer.from(name, 'latin1'))])))]);
const alpn = (...names: string[]): Buffer =>
  Buffer.concat([u16(16), block16(block16(Buffer.concat(names.map(name => block8(Buffer.from(name))))))]);
const other = (type: number, size: number): Buffer => Buffer.concat([u16(type), block16(Buffer.alloc(size))]);

/** `null`: no field of extensions at all. */
function body(extensions: readonly Buffer[] | null): Buffer {
  const fixed = [
    u16(0x0303),
    Buffer.alloc(32, 7),
    block8(Buffer.alloc(32, 1)),
    block16(Buffer.from([0x13, 1])),
    block8(u8(0)),
  ];
  return Buffer.concat([...fixed, ...(extensions === null ? [] : [block16(Buffer.concat(extensions))])]);
}

function message(content: Buffer, type = 1): Buffer {
  return Buffer.concat([u8(type), u24(content.length), content]);
}

function record(part: Buffer, type = 22, version = 0x0301): Buffer {
  return Buffer.concat([u8(type), u16(version), block16(part)]);
}

const hello = (...extensions: Buffer[]): Buffer => record(message(body(extensions)));

describe('a ClientHello', () => {
  test.each<[string, Buffer, { sni: string | null; alpn: string[] }]>([
    ['without extensions', record(message(body(null))), { sni: null, alpn: [] }],
    ['without a name', hello(other(43, 3)), { sni: null, alpn: [] }],
    ['with a name', hello(other(10, 4), serverName('Mqtt.Example.COM')), { sni: 'mqtt.example.com', alpn: [] }],
    ['with protocols', hello(alpn('mqtt', 'http/1.1')), { sni: null, alpn: ['mqtt', 'http/1.1'] }],
    [
      'with both',
      hello(serverName('a_b.example'), alpn('mqtt'), other(51, 1200)),
      { sni: 'a_b.example', alpn: ['mqtt'] },
    ],
    ['and what comes behind it', Buffer.concat([hello(serverName('a')), Buffer.alloc(99)]), { sni: 'a', alpn: [] }],
  ])('%s', (_what, bytes, found) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'hello', hello: found });
  });

  test('in several records, split anywhere', () => {
    const whole = message(body([serverName('split.example'), other(21, 300)]));
    for (let at = 1; at < whole.length; at += 1) {
      const bytes = Buffer.concat([record(whole.subarray(0, at)), record(whole.subarray(at))]);
      expect(readClientHello(bytes), `at ${at}`).toMatchObject({ kind: 'hello', hello: { sni: 'split.example' } });
    }
  });

  test('every beginning of it is `more`, and promises no more than it needs', () => {
    const bytes = hello(serverName('more.example'), alpn('mqtt'));
    for (let length = 0; length < bytes.length; length += 1) {
      const reading = readClientHello(bytes.subarray(0, length));
      if (reading.kind !== 'more') throw new Error(`${reading.kind} after ${length} bytes`);
      expect(reading.atLeastBytes).toBeGreaterThan(length);
      expect(reading.atLeastBytes).toBeLessThanOrEqual(bytes.length);
    }
  });
});

describe('P7: what is none', () => {
  test.each<[string, Buffer, string]>([
    ['MQTT', Buffer.from('100c0004', 'hex'), 'an MQTT CONNECT without TLS'],
    ['HTTP', Buffer.from('GET / HTTP/1.1'), 'an HTTP request without TLS'],
    ['an alert', record(Buffer.alloc(2), 21), 'first byte 0x15'],
    ['one byte of anything', Buffer.from([0xff]), 'first byte 0xff'],
  ])('%s is a stranger', (_what, bytes, detail) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'stranger', detail });
  });

  test.each<[string, Buffer]>([
    ['another version of records', record(message(body([])), 22, 0x0201)],
    ['another message', record(message(body([]), 2))],
    ['an empty record', record(Buffer.alloc(0))],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 0x01])],
    ['a message that is too long', record(Buffer.from([1, 0xff, 0xff, 0xff]))],
    [
      'records without end',
      Buffer.concat(
        Array.from({ length: 3 }, () =>
          Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x7f]), Buffer.alloc(16_381)]),
        ),
      ),
    ],
    ['an interruption', Buffer.concat([record(Buffer.from([1, 0, 1])), record(Buffer.alloc(4), 23)])],
    ['extensions longer than the message', record(message(Buffer.concat([body(null), u16(9)])))],
    ['an extension longer than the extensions', hello(Buffer.concat([u16(5), u16(99)]))],
    ['a name longer than its list', hello(Buffer.concat([u16(0), block16(block16(Buffer.from([0, 0, 50, 97])))]))],
    ['a protocol longer than its list', hello(Buffer.concat([u16(16), block16(block16(Buffer.from([50, 97])))]))],
    ['an empty name', hello(serverName(''))],
    ['a control character in the name', hello(serverName('a\u0007b'))],
    ['a NUL in the name', hello(serverName('good.example\0.evil'))],
    ['a name in UTF-8', hello(serverName('bücher.example'))],
    ['a name of 300 characters', hello(serverName('a'.repeat(300)))],
    ['a message of three bytes', record(message(Buffer.alloc(3)))],
  ])('%s is bad', (_what, bytes) => {
    expect(readClientHello(bytes).kind).toBe('bad');
  });

  test('anything at all gets an answer, and never one that waits beyond the limit', () => {
    const valid = hello(serverName('fuzz.example'), alpn('mqtt'));
    const mutated = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(255))
      .map(([at, value]) => Buffer.concat([valid.subarray(0, at), u8(value), valid.subarray(at + 1)]));
    const prefixed = fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.concat([Buffer.from([22, 3, 1]), bytes]));
    const anything = fc.oneof(
      mutated,
      prefixed,
      fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(anything, bytes => {
        const reading = readClientHello(bytes);
        if (reading.kind !== 'more') return true;
        return reading.atLeastBytes > bytes.length && reading.atLeastBytes <= MAX_HELLO_BYTES + 5;
      }),
      { numRuns: 2000 },
    );
  });
});
