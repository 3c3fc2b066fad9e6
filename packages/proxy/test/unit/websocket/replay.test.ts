import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConnackFrameReader, type FramesReading } from '../../../src/websocket/connack_frames.ts';
import { dataFrame, pingFrame } from '../../../src/websocket/frame_encoder.ts';
import type { Field } from '../../../src/websocket/http_head.ts';
import { type Replay, replayUpgrade } from '../../../src/websocket/replay_upgrade.ts';
import { acceptOf } from '../../../src/websocket/upgrade_accept.ts';
import { type AnswerReading, UpgradeAnswerReader } from '../../../src/websocket/upgrade_answer.ts';
import { UpgradeRequestReader } from '../../../src/websocket/upgrade_request.ts';
import { cut, frame } from './frames.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HEADERS: readonly Field[] = [
  ['Host', 'broker.example.com'],
  ['User-Agent', 'Browser/1.0 (\u00e9)'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Key', KEY],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Protocol', 'mqttv3.1, mqtt'],
];

interface Changes extends Partial<Omit<Replay, 'facts'>> {
  readonly more?: readonly Field[];
  readonly connection?: string;
}

function replay({ more = [], connection = 'Upgrade', ...changes }: Changes = {}): Buffer {
  const own = HEADERS.map(([name, value]): Field => [name, name === 'Connection' ? connection : value]);
  const rest = { path: '/mqtt', query: '', source: '192.0.2.7', secure: false, trusted: false };
  return replayUpgrade({ facts: { headers: [...own, ...more], protocol: 'mqtt' }, ...rest, ...changes });
}

function lines(changes: Changes = {}): string[] {
  return replay(changes).toString('latin1').split('\r\n').slice(0, -2);
}

describe('the replayed upgrade', () => {
  test('is the client’s own, in its order and spelling, without what is for one hop', () => {
    const more: Field[] = [
      ['x-Device', 'a, b'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate'],
      ['Keep-Alive', '5'],
      ['Proxy-Authorization', 'Basic xyz'],
      ['TE', 'trailers'],
      ['Content-Length', '0'],
      ['Cookie', 'a=b'],
    ];
    expect(lines({ more, path: '/ws', secure: true })).toEqual([
      'GET /ws HTTP/1.1',
      'Host: broker.example.com',
      'User-Agent: Browser/1.0 (\u00e9)',
      `Sec-WebSocket-Key: ${KEY}`,
      'Sec-WebSocket-Version: 13',
      'x-Device: a, b',
      'Cookie: a=b',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Protocol: mqtt',
      'X-Forwarded-For: 192.0.2.7',
      'X-Forwarded-Proto: https',
    ]);
  });

  test('leaves out what Connection names, but never what the broker decides by', () => {
    const more: Field[] = [
      ['X-Hop', '1'],
      ['Authorization', 'Bearer t'],
    ];
    const connection = 'upgrade, x-hop, host, Sec-WebSocket-Key, authorization, sec-websocket-version';
    const written = lines({ more, connection });
    expect(written).not.toContain('X-Hop: 1');
    for (const line of ['Host: broker.example.com', `Sec-WebSocket-Key: ${KEY}`, 'Authorization: Bearer t']) {
      expect(written).toContain(line);
    }
  });

  const forged: Field[] = [
    ['X-Forwarded-For', '10.0.0.1'],
    ['x-forwarded-for', '10.0.0.2, 10.0.0.3'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Port', '1'],
    ['X-Real-IP', '10.0.0.1'],
    ['Forwarded', 'for=10.0.0.1'],
  ];

  test('drops what an untrusted client says of proxies', () => {
    const said = lines({ more: forged }).filter(line => /forwarded|real-ip/i.test(line));
    expect(said).toEqual(['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: http']);
  });

  test('keeps what a trusted one says, and appends its address, whatever Connection names', () => {
    const changes = { more: forged, trusted: true, connection: 'upgrade, x-forwarded-for, x-forwarded-proto' };
    expect(lines(changes).filter(line => /forwarded|real-ip/i.test(line))).toEqual([
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 1',
      'X-Real-IP: 10.0.0.1',
      'Forwarded: for=10.0.0.1',
      'X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.7',
    ]);
    expect(lines({ trusted: true }).at(-1)).toBe('X-Forwarded-Proto: http');
  });

  test.each([
    ['/mqtt', '', '/mqtt'],
    ['/mqtt', '?token=x', '/mqtt?token=x'],
    ['/mqtt?zone=1', '', '/mqtt?zone=1'],
    ['/mqtt?zone=1', '?token=x', '/mqtt?zone=1&token=x'],
  ])('to %s with %j asks for %s', (path, query, target) => {
    expect(lines({ path, query })[0]).toBe(`GET ${target} HTTP/1.1`);
  });

  test('is itself a legal upgrade', () => {
    const reading = new UpgradeRequestReader({ paths: ['/mqtt'], origins: null }).push(replay({ more: forged }));
    expect(reading).toMatchObject({ kind: 'request', request: { protocol: 'mqtt', key: KEY } });
  });
});

interface AnswerSpec {
  readonly status?: string;
  readonly fields?: Readonly<Record<string, string | null>>;
}

function answer({ status = 'HTTP/1.1 101 Switching Protocols', fields = {} }: AnswerSpec = {}): Buffer {
  const usual = {
    Upgrade: 'WebSocket',
    Connection: 'upgrade',
    'Sec-WebSocket-Accept': acceptOf(KEY),
    'sec-websocket-protocol': 'mqtt',
  };
  const all = Object.entries({ ...usual, ...fields }).filter(([, value]) => value !== null);
  return Buffer.from(`${[status, ...all.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`, 'latin1');
}

function judge(bytes: Buffer): AnswerReading {
  return new UpgradeAnswerReader({ headers: HEADERS, protocol: 'mqtt' }).push(bytes);
}

describe('the broker’s answer', () => {
  test('P1: is read in any cut, and what comes behind it is kept', () => {
    const bytes = answer();
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 10 }), marks => {
        const reader = new UpgradeAnswerReader({ headers: HEADERS, protocol: 'mqtt' });
        const readings = cut(bytes, marks).map(chunk => reader.push(chunk));
        expect(readings.pop()).toEqual({ kind: 'open', rest: Buffer.alloc(0) });
        expect(readings.every(reading => reading.kind === 'more')).toBe(true);
      }),
    );
    expect(judge(Buffer.concat([bytes, Buffer.from('frames')]))).toEqual({ kind: 'open', rest: Buffer.from('frames') });
  });

  const wrong: [string, number | null, AnswerSpec][] = [
    ['another status', 503, { status: 'HTTP/1.1 503 Service Unavailable' }],
    ['404 without a word', 404, { status: 'HTTP/1.1 404' }],
    ['an interim answer', 100, { status: 'HTTP/1.1 100 Continue' }],
    ['HTTP/1.0', null, { status: 'HTTP/1.0 101 Switching Protocols' }],
    ['no HTTP', null, { status: 'hello' }],
    ['no Upgrade', 101, { fields: { Upgrade: null } }],
    ['no Connection', 101, { fields: { Connection: 'close' } }],
    ['no accept', 101, { fields: { 'Sec-WebSocket-Accept': null } }],
    ['a wrong accept', 101, { fields: { 'Sec-WebSocket-Accept': acceptOf('x') } }],
    ['an extension', 101, { fields: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } }],
    ['no sub-protocol', 101, { fields: { 'sec-websocket-protocol': null } }],
    ['another sub-protocol', 101, { fields: { 'sec-websocket-protocol': 'mqttv3.1' } }],
    ['two sub-protocols', 101, { fields: { 'Sec-WebSocket-Protocol': 'mqtt' } }],
  ];
  test.each(wrong)('with %s is refused', (_what, status, spec) => {
    expect(judge(answer(spec))).toEqual({ kind: 'bad', status, detail: expect.any(String) });
  });

  test('P7: that never ends is refused at 16 KiB; bytes that are no HTTP at once', () => {
    expect(judge(Buffer.from(`HTTP/1.1 101 x\r\nX: ${'y'.repeat(16 * 1024)}`))).toMatchObject({
      kind: 'bad',
      status: null,
    });
    expect(judge(Buffer.from('200200000', 'hex'))).toMatchObject({ kind: 'bad', status: null });
  });
});

const CONNACK = Buffer.from('20020000', 'hex');

describe('the CONNACK inside a broker’s frames', () => {
  test('comes out of any frames in any cut, and the chunks stay as they were', () => {
    const bytes = Buffer.concat([
      pingFrame(),
      frame({ fin: false, mask: null, payload: CONNACK.subarray(0, 1) }),
      frame({ opcode: 0, mask: null, payload: CONNACK.subarray(1) }),
      ...dataFrame(Buffer.from('3000', 'hex')),
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), marks => {
        const raw = Buffer.from(bytes);
        const reader = new ConnackFrameReader();
        const last = cut(raw, marks).reduce<FramesReading | null>((_before, chunk) => reader.push(chunk), null);
        expect(last).toEqual({ kind: 'mqtt', bytes: Buffer.from('200200003000', 'hex') });
        expect(raw.equals(bytes)).toBe(true);
      }),
    );
  });

  test('before a Close is told with it', () => {
    const refused = Buffer.from('20020005', 'hex');
    const closing = frame({ opcode: 8, mask: null, payload: Buffer.of(0x03, 0xe8) });
    const reading = new ConnackFrameReader().push(Buffer.concat([...dataFrame(refused), closing]));
    expect(reading).toEqual({ kind: 'closed', bytes: refused, code: 1000 });
  });

  test('P7: frames that are not legal, and frames without end, are refused', () => {
    expect(new ConnackFrameReader().push(frame({ payload: CONNACK }))).toMatchObject({ kind: 'bad' });
    const reader = new ConnackFrameReader();
    const empty = Buffer.concat(Array.from({ length: 1024 }, () => frame({ mask: null })));
    let reading: FramesReading = { kind: 'mqtt', bytes: CONNACK };
    for (let round = 0; round < 129 && reading.kind === 'mqtt'; round += 1) reading = reader.push(empty);
    expect(reading).toMatchObject({ kind: 'bad' });
  });
});
