import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HEAD_BYTES } from '../../../src/websocket/http_head.ts';
import { acceptOf, switchingProtocols, upgradeRefused } from '../../../src/websocket/upgrade_accept.ts';
import { type UpgradeReading, UpgradeRequestReader } from '../../../src/websocket/upgrade_request.ts';
import { cut } from './frames.ts';

const BIND = { paths: ['/mqtt', '/ws'], origins: null };
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

const FIELDS: Readonly<Record<string, string>> = {
  Host: 'broker.example.com:8083',
  Upgrade: 'websocket',
  Connection: 'keep-alive, Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Protocol': 'mqttv3.1, mqtt',
};

interface RequestSpec {
  readonly line?: string;
  /** Instead of, or beside, the usual ones; null: without. */
  readonly fields?: Readonly<Record<string, string | null>>;
  /** Whole lines behind the others. */
  readonly lines?: readonly string[];
}

function request({ line = 'GET /mqtt HTTP/1.1', fields = {}, lines = [] }: RequestSpec = {}): Buffer {
  const all = Object.entries({ ...FIELDS, ...fields }).filter(([, value]) => value !== null);
  const written = all.map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${[line, ...written, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}

function read(chunks: readonly Buffer[], bind: { paths: string[]; origins: string[] | null } = BIND): UpgradeReading {
  const reader = new UpgradeRequestReader(bind);
  let reading: UpgradeReading = { kind: 'more' };
  for (const chunk of chunks) {
    if (reading.kind !== 'more') throw new Error(`too early: ${reading.kind}`);
    reading = reader.push(chunk);
  }
  return reading;
}

function requestOf(reading: UpgradeReading): Extract<UpgradeReading, { kind: 'request' }> {
  if (reading.kind !== 'request') throw new Error(JSON.stringify(reading));
  return reading;
}

/** Pushes byte by byte until there is an answer. */
function statusOf(bytes: Buffer, bind: { paths: string[]; origins: string[] | null } = BIND): number | string {
  const reader = new UpgradeRequestReader(bind);
  for (const byte of bytes) {
    const reading = reader.push(Buffer.of(byte));
    if (reading.kind === 'bad') return reading.status;
    if (reading.kind === 'request') return 'request';
  }
  return 'more';
}

describe('P1: an upgrade request', () => {
  test('of a browser', () => {
    const { request: got, rest } = requestOf(read([request({ line: 'GET /mqtt?token=a%20b HTTP/1.1' })]));
    const { fields, ...facts } = got;
    expect(facts).toEqual({ path: '/mqtt', query: '?token=a%20b', protocol: 'mqtt', key: KEY });
    expect(fields).toEqual(Object.entries(FIELDS));
    expect(rest).toHaveLength(0);
  });

  test('keeps names, values and their order as they were, and the bytes behind it', () => {
    const lines = ['x-ODD_name:v\u00e9 \t', 'X-Empty:', 'x-ODD_name: again'];
    const bytes = Buffer.concat([request({ lines }), Buffer.from('\x82frames')]);
    const { request: got, rest } = requestOf(read([bytes]));
    expect(got.fields.slice(6)).toEqual([
      ['x-ODD_name', 'v\u00e9'],
      ['X-Empty', ''],
      ['x-ODD_name', 'again'],
    ]);
    expect(rest.toString()).toBe('\x82frames');
  });

  test('cut anywhere, and byte by byte, is the same', () => {
    const bytes = request();
    const whole = requestOf(read([bytes])).request;
    for (let at = 1; at < bytes.length; at += 1) {
      expect(requestOf(read([bytes.subarray(0, at), bytes.subarray(at)])).request).toEqual(whole);
    }
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), marks => {
        expect(requestOf(read(cut(bytes, marks))).request).toEqual(whole);
      }),
    );
    expect(statusOf(bytes)).toBe('request');
  });

  const accepted: [string, RequestSpec][] = [
    ['an absolute target', { line: 'GET http://broker.example.com:8083/ws?x HTTP/1.1' }],
    ['a list in Upgrade', { fields: { Upgrade: 'h2c, WebSocket' } }],
    ['Connection in two lines', { fields: { Connection: 'keep-alive' }, lines: ['connection: UPGRADE'] }],
    [
      'sub-protocols in two lines',
      { fields: { 'Sec-WebSocket-Protocol': 'other' }, lines: ['sec-websocket-protocol: mqtt'] },
    ],
    ['an IPv6 host', { fields: { Host: '[::1]:8083' } }],
    [
      'extensions that are offered',
      { fields: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } },
    ],
    ['a body of no length', { fields: { 'Content-Length': '0' } }],
  ];
  test.each(accepted)('with %s is accepted', (_what, spec) => {
    expect(read([request(spec)]).kind).toBe('request');
  });

  test.each([
    ['mqtt', 'mqtt'],
    ['mqttv3.1', 'mqttv3.1'],
    ['mqttv3.1, mqtt', 'mqtt'],
    ['other, mqttv3.1', 'mqttv3.1'],
  ])('that offers %s gets %s', (offered, agreed) => {
    const got = requestOf(read([request({ fields: { 'Sec-WebSocket-Protocol': offered } })])).request;
    expect(got.protocol).toBe(agreed);
  });
});

describe('P7: a request that is none is answered at once', () => {
  const refused: [string, number, RequestSpec][] = [
    ['a wrong path', 404, { line: 'GET /mqt HTTP/1.1' }],
    ['a longer path', 404, { line: 'GET /mqtt/ HTTP/1.1' }],
    ['a path in other case', 404, { line: 'GET /MQTT HTTP/1.1' }],
    ['a path that is written otherwise', 404, { line: 'GET /%6dqtt HTTP/1.1' }],
    ['no path', 400, { line: 'GET mqtt HTTP/1.1' }],
    ['a fragment', 400, { line: 'GET /mqtt#x HTTP/1.1' }],
    ['a target with a space', 400, { line: 'GET /mqtt /x HTTP/1.1' }],
    ['POST', 405, { line: 'POST /mqtt HTTP/1.1' }],
    ['get', 405, { line: 'get /mqtt HTTP/1.1' }],
    ['HTTP/1.0', 505, { line: 'GET /mqtt HTTP/1.0' }],
    ['HTTP/2.0', 505, { line: 'PRI * HTTP/2.0' }],
    ['no version', 400, { line: 'GET /mqtt' }],
    ['two spaces', 400, { line: 'GET  /mqtt HTTP/1.1' }],
    ['no Host', 400, { fields: { Host: null } }],
    ['two Hosts', 400, { lines: ['host: broker.example.com:8083'] }],
    ['a Host of two', 400, { fields: { Host: 'a, b' } }],
    ['no Upgrade', 426, { fields: { Upgrade: null } }],
    ['another Upgrade', 426, { fields: { Upgrade: 'websockets' } }],
    ['no Connection', 426, { fields: { Connection: null } }],
    ['Connection: close', 426, { fields: { Connection: 'close' } }],
    ['no version of WebSocket', 426, { fields: { 'Sec-WebSocket-Version': null } }],
    ['version 8', 426, { fields: { 'Sec-WebSocket-Version': '8' } }],
    ['two versions', 426, { lines: ['Sec-WebSocket-Version: 13'] }],
    ['no key', 400, { fields: { 'Sec-WebSocket-Key': null } }],
    ['two keys', 400, { lines: [`Sec-WebSocket-Key: ${KEY}`] }],
    ['a key of 15 bytes', 400, { fields: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' } }],
    ['a key of 17 bytes', 400, { fields: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZWU=' } }],
    ['a key that is no base64', 400, { fields: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25*ZQ==' } }],
    ['no sub-protocol', 400, { fields: { 'Sec-WebSocket-Protocol': null } }],
    ['other sub-protocols', 400, { fields: { 'Sec-WebSocket-Protocol': 'MQTT, mqtt5' } }],
    ['a sub-protocol twice', 400, { fields: { 'Sec-WebSocket-Protocol': 'mqtt, mqtt' } }],
    ['a sub-protocol that is no token', 400, { fields: { 'Sec-WebSocket-Protocol': 'mqtt, "a"' } }],
    ['a body', 400, { fields: { 'Content-Length': '5' } }],
    ['two lengths', 400, { fields: { 'Content-Length': '0' }, lines: ['Content-Length: 7'] }],
    ['a chunked body', 400, { fields: { 'Transfer-Encoding': 'chunked' } }],
    ['a folded line', 400, { lines: ['X-A: b', '  c'] }],
    ['a space before the colon', 400, { lines: ['X-A : b'] }],
    ['no colon', 400, { lines: ['X-A'] }],
    ['no name', 400, { lines: [': b'] }],
    ['a NUL', 400, { lines: ['X-A: b\0'] }],
    ['a bare LF', 400, { lines: ['X-A: b\nUpgrade: websocket'] }],
    ['a bare CR', 400, { lines: ['X-A: b\rUpgrade: websocket'] }],
    ['an empty line before it', 400, { line: '\r\nGET /mqtt HTTP/1.1' }],
    ['101 fields', 431, { lines: Array.from({ length: 95 }, (_, index) => `X-${index}: y`) }],
    ['17 KiB', 431, { lines: [`X-A: ${'y'.repeat(17 * 1024)}`] }],
  ];
  test.each(refused)('%s: %i', (_what, status, spec) => {
    expect(statusOf(request(spec))).toBe(status);
  });

  test('100 fields are not too many', () => {
    const lines = Array.from({ length: 94 }, (_, index) => `X-${index}: y`);
    expect(statusOf(request({ lines }))).toBe('request');
  });

  test.each([
    ['a CONNECT of MQTT', Buffer.from('\x10\x0d\x00\x04MQTT', 'latin1')],
    ['a ClientHello', Buffer.from('1603010200010001', 'hex')],
  ])('%s is known by its first byte', (_what, bytes) => {
    expect(read([bytes.subarray(0, 1)])).toMatchObject({ kind: 'bad', status: 400 });
  });

  test('a head without an end is refused at its limit, and never held beyond it', () => {
    const reader = new UpgradeRequestReader(BIND);
    const start = Buffer.from('GET /mqtt HTTP/1.1\r\nX-A: ');
    expect(reader.push(start).kind).toBe('more');
    for (let sent = start.length; sent < MAX_HEAD_BYTES - 1; sent += 1)
      expect(reader.push(Buffer.from('y')).kind).toBe('more');
    expect(reader.push(Buffer.from('y'))).toMatchObject({ kind: 'bad', status: 431 });
  });

  test.each([
    ['the origin', 'https://app.example.com', 'request'],
    ['it in capitals', 'HTTPS://APP.example.com', 'request'],
    ['another one', 'https://evil.example.com', 403],
    ['one that ends alike', 'https://evil.com/https://app.example.com', 403],
    ['null', 'null', 403],
    ['none, for devices have none', null, 'request'],
  ])('where origins are listed, %s gets its answer', (_what, origin, expected) => {
    const bind = { paths: ['/mqtt'], origins: ['https://app.example.com'] };
    expect(statusOf(request({ fields: { Origin: origin } }), bind)).toBe(expected);
  });

  test('P11: arbitrary heads never throw, and no word of theirs is in what is said of them', () => {
    const line = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.boolean(), (lines, isReal) => {
        const marked = lines.map(text => `${text}SECRET`);
        const text = isReal ? request({ lines: marked }) : Buffer.from(`${marked.join('\r\n')}\r\n\r\n`, 'latin1');
        const reading = new UpgradeRequestReader(BIND).push(text);
        if (reading.kind === 'bad') {
          expect(`${reading.detail}${upgradeRefused(reading.status).toString('latin1')}`).not.toContain('SECRET');
        }
      }),
    );
  });
});

describe('the answer', () => {
  test('accepts as the example of RFC 6455, 1.3, and names no extension', () => {
    expect(acceptOf(KEY)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(switchingProtocols({ key: KEY, protocol: 'mqtt' }).toString().split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      'Sec-WebSocket-Protocol: mqtt',
      '',
      '',
    ]);
  });

  test.each([400, 403, 404, 405, 408, 426, 431, 505] as const)('%i says its length, and that it is the end', status => {
    const [head = '', body = ''] = upgradeRefused(status).toString().split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    expect(head).toMatch(/\r\nConnection: (Upgrade, )?close(\r\n|$)/);
    expect(head).toContain(`Content-Length: ${body.length}`);
  });

  test('426 names what is wanted', () => {
    const head = upgradeRefused(426).toString();
    for (const line of ['Upgrade: websocket', 'Connection: Upgrade, close', 'Sec-WebSocket-Version: 13']) {
      expect(head).toContain(`\r\n${line}\r\n`);
    }
    expect(upgradeRefused(405).toString()).toContain('\r\nAllow: GET\r\n');
  });
});
