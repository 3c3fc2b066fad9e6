import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameDecoder, type FrameEnd } from '../../../src/websocket/frame_decoder.ts';
import { closeFrame, dataFrame, pingFrame, pongFrame } from '../../../src/websocket/frame_encoder.ts';
import {
  BINARY,
  CONTINUATION,
  close,
  cut,
  type FrameSpec,
  frame,
  ILLEGAL,
  LEGAL_CLOSE_CODES,
  MASK,
  PING,
  PONG,
} from './frames.ts';

interface Taken {
  readonly data: Buffer;
  readonly pings: readonly string[];
  readonly end: FrameEnd | null;
}

/** Pushes copies: the decoder writes over what it is given. */
function decode(chunks: readonly Buffer[], sender: 'client' | 'server' = 'client'): Taken {
  const decoder = new FrameDecoder(sender);
  const data: Buffer[] = [];
  const pings: string[] = [];
  for (const chunk of chunks) {
    const decoded = decoder.push(Buffer.from(chunk));
    data.push(Buffer.from(decoded.data));
    if (decoded.ping !== null) pings.push(decoded.ping.toString());
    if (decoded.end !== null) return { data: Buffer.concat(data), pings, end: decoded.end };
  }
  return { data: Buffer.concat(data), pings, end: null };
}

function bytewise(bytes: Buffer): Buffer[] {
  return [...bytes].map(byte => Buffer.of(byte));
}

describe('P1: the payload comes out as it went in', () => {
  test('the examples of RFC 6455, 5.7', () => {
    expect(decode([Buffer.from('828537fa213d7f9f4d5158', 'hex')])).toEqual({
      data: Buffer.from('Hello'),
      pings: [],
      end: null,
    });
    expect(decode([Buffer.from('898537fa213d7f9f4d5158', 'hex')]).pings).toEqual(['Hello']);
    expect(decode([Buffer.from('820548656c6c6f', 'hex')], 'server').data.toString()).toBe('Hello');
    expect(decode([Buffer.from('020348656c80026c6f', 'hex')], 'server').data.toString()).toBe('Hello');
  });

  test.each([0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000])('a frame of %i bytes', length => {
    const payload = Buffer.alloc(length, 'limpet');
    const bytes = Buffer.concat([frame({ payload }), frame({ payload: Buffer.from('next') })]);
    const expected = Buffer.concat([payload, Buffer.from('next')]);
    for (const chunks of [[bytes], cut(bytes, [1, 5, 9, 13, 14, 15, 17, length])]) {
      expect(decode(chunks).data.equals(expected)).toBe(true);
    }
  });

  test('many frames in one chunk are one piece of it, and nothing is copied elsewhere', () => {
    const chunk = Buffer.concat([...'limpet'].map(letter => frame({ payload: Buffer.from(letter) })));
    const { data } = new FrameDecoder('client').push(chunk);
    expect(data.toString()).toBe('limpet');
    expect(data.buffer).toBe(chunk.buffer);
  });

  test('control frames between fragments, empty fragments, and what follows', () => {
    const bytes = Buffer.concat([
      frame({ fin: false, payload: Buffer.from('a') }),
      frame({ opcode: PING, payload: Buffer.from('1') }),
      frame({ opcode: CONTINUATION, fin: false }),
      frame({ opcode: PONG, payload: Buffer.from('nobody asked') }),
      frame({ opcode: CONTINUATION, fin: false, payload: Buffer.from('b') }),
      frame({ opcode: PING, payload: Buffer.alloc(125, '2') }),
      frame({ opcode: CONTINUATION, payload: Buffer.from('c') }),
      frame({}),
      frame({ payload: Buffer.from('d') }),
    ]);
    expect(decode(bytewise(bytes))).toEqual({ data: Buffer.from('abcd'), pings: ['1', '2'.repeat(125)], end: null });
    // In one chunk the last Ping stands for all (RFC 6455, 5.5.3).
    expect(decode([bytes])).toEqual({ data: Buffer.from('abcd'), pings: ['2'.repeat(125)], end: null });
  });

  test('any frames, in any cut, give the same payload', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ minLength: 120, maxLength: 130 }),
      fc.integer({ min: 65_530, max: 65_545 }).map(length => Buffer.alloc(length, 'xyz')),
    );
    const mask = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(bytes => Buffer.from(bytes));
    const message = fc
      .record({ parts: fc.array(payload, { minLength: 1, maxLength: 3 }), mask, ping: fc.boolean() })
      .map(one =>
        one.parts.flatMap((part, index): FrameSpec[] => [
          {
            opcode: index === 0 ? BINARY : CONTINUATION,
            fin: index === one.parts.length - 1,
            payload: part,
            mask: one.mask,
          },
          ...(one.ping ? [{ opcode: PING, payload: Buffer.from('?'), mask: one.mask }] : []),
        ]),
      );
    const messages = fc.array(message, { minLength: 1, maxLength: 6 }).map(list => list.flat());
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 12 }), (specs, marks) => {
        const bytes = Buffer.concat(specs.map(frame));
        const payloads = specs.filter(spec => spec.opcode !== PING).map(spec => spec.payload ?? Buffer.alloc(0));
        const taken = decode(cut(bytes, marks));
        expect(taken.end).toBeNull();
        expect(taken.data.equals(Buffer.concat(payloads))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('what the encoder writes, the decoder reads', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(70_000), { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 6 }), (sizes, marks) => {
        const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));
        const bytes = Buffer.concat(payloads.flatMap(payload => [...dataFrame(payload), pongFrame(Buffer.from('p'))]));
        expect(decode(cut(bytes, marks), 'server').data.equals(Buffer.concat(payloads))).toBe(true);
      }),
      { numRuns: 60 },
    );
    expect(decode([pingFrame(), closeFrame(1001)], 'server')).toEqual({
      data: Buffer.alloc(0),
      pings: [''],
      end: { kind: 'close', code: 1001 },
    });
  });

  test('the encoder copies what is short into one buffer, and never what is long', () => {
    expect(dataFrame(Buffer.from('Hello'))).toEqual([Buffer.from('820548656c6c6f', 'hex')]);
    const long = Buffer.alloc(16 * 1024 + 1);
    expect(dataFrame(long)[1]).toBe(long);
    expect(dataFrame(Buffer.alloc(65_536))[0]?.toString('hex')).toBe('827f0000000000010000');
    expect(closeFrame(1002).toString('hex')).toBe('880203ea');
    expect(closeFrame(null).toString('hex')).toBe('8800');
  });
});

describe('P7: what breaks the rules ends with the right code', () => {
  test.each(ILLEGAL)('$what: $code', ({ bytes, code }) => {
    const legal = frame({ payload: Buffer.from('before') });
    for (const chunks of [[Buffer.concat([legal, bytes])], [legal, bytes], bytewise(Buffer.concat([legal, bytes]))]) {
      expect(decode(chunks).end).toEqual({ kind: 'bad', code, detail: expect.any(String) });
    }
  });

  test.each(ILLEGAL)('$what: known at once, and what came before is told', ({ bytes }) => {
    const legal = frame({ payload: Buffer.from('before') });
    const after = frame({ payload: Buffer.from('after') });
    const { data } = new FrameDecoder('client').push(Buffer.concat([legal, bytes, after]));
    expect(data.subarray(0, 6).toString()).toBe('before');
    expect(data.includes('after')).toBe(false);
  });

  test.each(LEGAL_CLOSE_CODES.map(code => [code]))('close code %s is legal, with a reason too', code => {
    expect(decode([close(code)]).end).toEqual({ kind: 'close', code });
    if (code !== null) expect(decode(bytewise(close(code, Buffer.from('späß')))).end).toEqual({ kind: 'close', code });
  });

  test('nothing behind a Close counts, and what stands before it does', () => {
    const chunk = Buffer.concat([
      frame({ payload: Buffer.from('a') }),
      close(1000),
      frame({ payload: Buffer.from('b') }),
    ]);
    expect(decode([chunk])).toEqual({ data: Buffer.from('a'), pings: [], end: { kind: 'close', code: 1000 } });
  });

  test('a server that masks breaks the rules, too', () => {
    expect(decode([frame({ mask: MASK })], 'server').end).toEqual({
      kind: 'bad',
      code: 1002,
      detail: 'a masked frame',
    });
  });

  test('a frame that says 2^62 bytes costs nothing, and its bytes pass', () => {
    const head = frame({ lengthBytes: 8, length: 1n << 62n });
    expect(decode([head, Buffer.alloc(1000)]).data).toHaveLength(1000);
  });

  test('arbitrary bytes never throw, and never become more than they are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), chunks => {
        const buffers = chunks.map(chunk => Buffer.from(chunk));
        expect(decode(buffers).data.length).toBeLessThanOrEqual(Buffer.concat(buffers).length);
      }),
    );
  });
});
