import { describe, expect, test } from 'vitest';
import { ConnectReader, type Step } from '../../../src/preread/connect_reader.ts';
import type { Refusal } from '../../../src/preread/refusal.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import type { Hello } from '../../../src/stages.ts';
import { connectBytes, connectOfLength, field, hex, PIPELINED, section, userProperty } from './connect_bytes.ts';

const MIB = 1024 * 1024;

function reader(maxSizeBytes: number = 512 * 1024, pool: PrereadPool = new PrereadPool(4 * MIB)): ConnectReader {
  return new ConnectReader({ maxSizeBytes }, pool, () => {
    throw new Error('evicted');
  });
}

/** Pushes the chunks; all but the last must want more. */
function pushAll(into: ConnectReader, chunks: readonly Buffer[]): Step {
  let step: Step = { kind: 'more' };
  for (const chunk of chunks) {
    if (step.kind !== 'more') throw new Error(`too early: ${JSON.stringify(step)}`);
    step = into.push(chunk);
  }
  return step;
}

function helloOf(step: Step): Hello {
  if (step.kind !== 'hello') throw new Error(JSON.stringify(step));
  return step.hello;
}

function refusalOf(step: Step): { reason: string; answer: string | null } {
  if (step.kind !== 'bad') throw new Error(step.kind);
  return { reason: step.refusal.reason, answer: step.refusal.answer?.toString('hex') ?? null };
}

function split(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

const SMALL: readonly [string, Buffer][] = [
  ['3.1', connectBytes({ level: 3 })],
  ['3.1.1 bridge', connectBytes({ level: 0x84 })],
  [
    '3.1.1 with a will and a user',
    connectBytes({ level: 4, flags: 0xc6, payload: ['a', 'w', 'p', 'bob', 'pw'].map(field) }),
  ],
  ['5.0 with properties', connectBytes({ level: 5, properties: section(hex('11 00000009'), userProperty('k', 'v')) })],
];

describe('P1: every byte, in order', () => {
  test.each(SMALL)('%s, whole in one chunk: the chunk itself, nothing reserved', (_what, packet) => {
    const pool = new PrereadPool(0);
    const chunk = Buffer.concat([packet, PIPELINED]);
    expect(helloOf(reader(1024, pool).push(chunk)).bytes).toBe(chunk);
  });

  test.each(SMALL)('%s, cut at every byte, with SUBSCRIBE and PUBLISH behind it', (_what, packet) => {
    const bytes = Buffer.concat([packet, PIPELINED]);
    const whole = helloOf(reader().push(bytes));
    for (let at = 1; at < packet.length; at++) {
      const hello = helloOf(pushAll(reader(), split(bytes, at)));
      expect(hello.bytes.equals(bytes)).toBe(true);
      expect(hello.connect).toEqual(whole.connect);
    }
  });

  test.each(SMALL)('%s, byte by byte', (_what, packet) => {
    const hello = helloOf(
      pushAll(
        reader(),
        [...packet].map(byte => Buffer.of(byte)),
      ),
    );
    expect(hello.bytes.equals(packet)).toBe(true);
  });

  test.each([
    [3, 127],
    [3, 128],
    [4, 127],
    [4, 128],
    [4, 256],
    [4, 16383],
    [4, 16384],
    [5, 127],
    [5, 128],
    [5, 256],
  ] as const)('level %i, remaining length %i, cut at every byte', (level, length) => {
    const packet = connectOfLength(level, length);
    const bytes = Buffer.concat([packet, PIPELINED]);
    for (let at = 1; at < packet.length; at++) {
      const hello = helloOf(pushAll(reader(), split(bytes, at)));
      if (!hello.bytes.equals(bytes)) throw new Error(`cut at ${at}: the bytes differ`);
    }
  });

  test('remaining length 2097151 under a limit that allows it, in chunks of 1,460 bytes', () => {
    const packet = connectOfLength(5, 2_097_151);
    const pool = new PrereadPool(4 * MIB);
    const chunks: Buffer[] = [];
    for (let at = 0; at < packet.length; at += 1460) chunks.push(packet.subarray(at, at + 1460));
    expect(helloOf(pushAll(reader(4 * MIB, pool), chunks)).bytes.equals(packet)).toBe(true);
    expect(pool.usedBytes).toBe(0);
  });

  test('330 KB: the longest will, user name, password and user properties', () => {
    const long = Buffer.alloc(65_535, 'x');
    const packet = connectBytes({
      level: 5,
      flags: 0xc6,
      properties: section(userProperty('k', long)),
      payload: [field('a'), hex('00'), field(long), field(long), field(long), field(long)],
    });
    expect(packet.length).toBeGreaterThan(327_000);
    for (const at of [1, 2, 3, 4, 5, 11, 100, 65_536, packet.length - 1]) {
      const hello = helloOf(pushAll(reader(), split(packet, at)));
      expect(hello.bytes.equals(packet)).toBe(true);
      expect(hello.connect.username).toHaveLength(65_535);
    }
  });

  test('what was pushed may be used again by its owner once it was copied', () => {
    const [, packet] = SMALL[2] ?? ['', Buffer.alloc(0)];
    const into = reader();
    const chunk = Buffer.from(packet.subarray(0, 20));
    into.push(chunk);
    chunk.fill(0);
    expect(helloOf(into.push(packet.subarray(20))).bytes.equals(packet)).toBe(true);
  });

  test('bytes behind a whole CONNECT belong to the next stage', () => {
    const into = reader();
    into.push(connectBytes({ level: 4 }));
    expect(() => into.push(PIPELINED)).toThrow(expect.objectContaining({ code: 'PREREAD_OVER' }));
  });
});

describe('P7: refused at the first byte that shows it', () => {
  const more = [0x10, 0x80, 0x80, 0x80];
  test.each([
    ['TLS', hex('16'), 'tls_on_plain_port', null],
    ['TLS ClientHello', hex('16 0301 0200 01'), 'tls_on_plain_port', null],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'http', null],
    ['HTTP CONNECT', Buffer.from('CONNECT a:1 HTTP/1.1\r\n'), 'http', null],
    ['HTTP POST', Buffer.from('POST'), 'http', null],
    ['PROXY v1', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'), 'proxy_header', null],
    ['PROXY v2', hex('0d0a0d0a000d0a515549540a 21 11'), 'proxy_header', null],
    ['PUBLISH', hex('30'), 'other_packet', null],
    ['SUBSCRIBE', hex('82 05'), 'other_packet', null],
    ['PINGREQ', hex('c0 00'), 'other_packet', null],
    ['AUTH', hex('f0'), 'other_packet', null],
    ['SUBSCRIBE with wrong flags', hex('80'), 'not_mqtt', null],
    ['SSH', Buffer.from('SSH-2.0'), 'not_mqtt', null],
    ['zero', hex('00'), 'not_mqtt', null],
    ['CONNECT with flags', hex('11'), 'malformed', null],
    ['a fifth byte of length', Buffer.from([...more, 0x80]), 'malformed', null],
    ['too short for a CONNECT', hex('10 0b'), 'malformed', null],
    ['too short for a CONNECT, 5.0', hex('10 02 0004 4d515454 05'), 'malformed', '2003008100'],
    ['first byte of the name', hex('10 20 01'), 'bad_protocol_name', null],
    ['length of the name', hex('10 20 00 05'), 'bad_protocol_name', null],
    ['fourth letter', hex('10 20 0004 4d515458'), 'bad_protocol_name', null],
    ['level 3 of MQTT', hex('10 20 0004 4d515454 03'), 'unacceptable_version', '20020001'],
    ['level 6 of MQTT', hex('10 20 0004 4d515454 06'), 'unacceptable_version', '2003008400'],
    ['over the limit', hex('10 81 80 20'), 'too_large', null],
    ['256 MB', hex('10 ff ff ff 7f'), 'too_large', null],
    ['over the limit, 3.1.1', hex('10 ff ff ff 7f 0004 4d515454 04'), 'too_large', null],
    ['over the limit, 5.0', hex('10 ff ff ff 7f 0004 4d515454 05'), 'too_large', '2003009500'],
  ])('%s', (_what, bytes, reason, answer) => {
    const pool = new PrereadPool(MIB);
    expect(refusalOf(reader(512 * 1024, pool).push(bytes))).toEqual({ reason, answer });
    expect(pool.usedBytes).toBe(0);
  });

  test.each([
    ['the first byte', '10'],
    ['a cut length of one byte', '10 80'],
    ['a cut length of three bytes', '10 80 80 80'],
    ['half a name', '10 20 0004 4d51'],
    ['a name without a level', '10 20 0006 4d5149736470'],
    ['the longest packet allowed', '10 fc ff 1f'],
  ])('%s is no reason', (_what, digits) => {
    expect(reader().push(hex(digits))).toEqual({ kind: 'more' });
  });

  test('a length is never taken as whole where a cut length ends in zero bits', () => {
    const packet = connectOfLength(4, 16_384);
    expect([...packet.subarray(1, 4)]).toEqual([0x80, 0x80, 0x01]);
    expect(helloOf(pushAll(reader(), [...split(packet.subarray(0, 4), 2), packet.subarray(4)])).bytes).toHaveLength(
      16_388,
    );
  });

  test('the same byte by byte as at once, wherever nothing before it was wrong', () => {
    const bytes = hex('10 20 0004 4d515454 06');
    const into = reader();
    const steps = [...bytes].map(byte => into.push(Buffer.of(byte)));
    expect(steps.slice(0, -1).every(step => step.kind === 'more')).toBe(true);
    expect(refusalOf(steps.at(-1) ?? { kind: 'more' })).toEqual({
      reason: 'unacceptable_version',
      answer: '2003008400',
    });
  });

  test('2097151 bytes are over the default limit', () => {
    expect(refusalOf(reader().push(connectOfLength(5, 2_097_151)))).toEqual({
      reason: 'too_large',
      answer: '2003009500',
    });
  });

  test('the limit is of the whole packet: exactly as long is allowed', () => {
    const packet = connectOfLength(4, 1000);
    expect(reader(packet.length).push(packet).kind).toBe('hello');
    expect(refusalOf(reader(packet.length - 1).push(packet)).reason).toBe('too_large');
  });
});

describe('P7: memory', () => {
  test('a length that is only claimed costs 256 bytes, and growth follows what came', () => {
    const pool = new PrereadPool(MIB);
    const into = reader(512 * 1024, pool);
    const packet = connectOfLength(5, 400_000);
    into.push(packet.subarray(0, 20));
    expect(into.reservedBytes).toBe(256);
    for (let at = 20; at < 300_000; at += 1000) {
      into.push(packet.subarray(at, at + 1000));
      expect(into.reservedBytes).toBeLessThanOrEqual(Math.max(256, 2 * into.receivedBytes));
    }
    for (let at = 300_020; at < packet.length - 1000; at += 1000) into.push(packet.subarray(at, at + 1000));
    expect(into.reservedBytes).toBe(packet.length);
    expect(pool.usedBytes).toBe(packet.length);
    into.release();
    into.release();
    expect(pool.usedBytes).toBe(0);
    expect(into.push(Buffer.of(0))).toMatchObject({ kind: 'bad', refusal: { reason: 'closed_early' } });
  });

  test('a refusal after growth gives everything back', () => {
    const pool = new PrereadPool(MIB);
    const into = reader(512 * 1024, pool);
    const packet = connectBytes({ level: 5, payload: [field(Buffer.alloc(1000, 0xff))] });
    expect(refusalOf(pushAll(into, split(packet, 500)))).toEqual({ reason: 'malformed', answer: '2003008100' });
    expect(pool.usedBytes).toBe(0);
  });

  test('the largest reader gives way, and its client is told in its own version', () => {
    const pool = new PrereadPool(1024);
    const evicted: Refusal[] = [];
    const large = new ConnectReader({ maxSizeBytes: 4096 }, pool, refusal => evicted.push(refusal));
    large.push(connectOfLength(5, 2000).subarray(0, 900));
    const small = reader(4096, pool);
    expect(small.push(connectOfLength(4, 200).subarray(0, 20))).toEqual({ kind: 'more' });
    expect(evicted.map(({ reason, answer }) => [reason, answer?.toString('hex')])).toEqual([
      ['preread_memory', '2003008900'],
    ]);
    expect(large.reservedBytes).toBe(0);
    expect(large.push(Buffer.of(0))).toEqual({ kind: 'bad', refusal: evicted[0] });
    expect(pool.usedBytes).toBe(small.reservedBytes);
  });

  test('the largest itself is refused when it asks for more', () => {
    const pool = new PrereadPool(1024);
    const small = reader(4096, pool);
    small.push(hex('10'));
    const large = reader(4096, pool);
    const packet = connectOfLength(4, 2000);
    large.push(packet.subarray(0, 500));
    expect(refusalOf(large.push(packet.subarray(500, 900)))).toEqual({ reason: 'preread_memory', answer: '20020003' });
    expect(small.reservedBytes).toBe(256);
  });
});

test('P7: what came is told when a client leaves or is late', () => {
  const into = reader();
  expect(into.closedEarly().detail).toBe('no byte came');
  into.push(hex('10'));
  expect(into.tooLate()).toEqual({
    reason: 'too_late',
    detail: '1 bytes came of a CONNECT of unknown length',
    answer: null,
  });
  into.push(hex('20 0004'));
  expect(into.closedEarly()).toEqual({ reason: 'closed_early', detail: '4 bytes came of 34', answer: null });
});
