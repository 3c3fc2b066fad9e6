import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { type ConnackReading, readConnack } from '../../../src/dial/connack.ts';

function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

function accepted(length: number, more: object = {}): ConnackReading {
  const plain = {
    kind: 'accepted',
    length,
    assignedClientId: null,
    serverKeepAliveS: null,
    sessionPresent: false,
  } as const;
  return { ...plain, ...more };
}

describe('accepted', () => {
  test.each([
    ['3.1', 3, '20 02 00 00', accepted(4)],
    ['3.1.1', 4, '20 02 00 00', accepted(4)],
    ['session present', 4, '20 02 01 00', accepted(4, { sessionPresent: true })],
    ['packets behind it', 4, '20 02 00 00 90 03 00 01 00', accepted(4)],
    ['5.0', 5, '20 03 00 00 00', accepted(5)],
    ['5.0, without a property section', 5, '20 02 00 00', accepted(4)],
    ['5.0, Assigned Client Identifier', 5, '20 08 00 00 05 12 0002 6964', accepted(10, { assignedClientId: 'id' })],
    ['5.0, an empty one', 5, '20 06 00 00 03 12 0000', accepted(8)],
    ['5.0, one that is not UTF-8', 5, '20 07 00 00 04 12 0001 ff', accepted(9)],
    ['5.0, two of them', 5, '20 0b 00 00 08 12 0001 61 12 0001 62', accepted(13)],
    ['5.0, one that runs past the section', 5, '20 07 00 00 04 12 0009 61', accepted(9)],
    [
      '5.0, Server Keep Alive',
      5,
      '20 06 01 00 03 13 001e',
      accepted(8, { serverKeepAliveS: 30, sessionPresent: true }),
    ],
    ['5.0, Server Keep Alive 0', 5, '20 06 00 00 03 13 0000', accepted(8, { serverKeepAliveS: 0 })],
    ['5.0, Server Keep Alive cut', 5, '20 05 00 00 02 13 00', accepted(7)],
    ['5.0, a property that is not known', 5, '20 05 00 00 02 7f 00', accepted(7)],
  ] as const)('%s', (_what, version, digits, expected) => {
    expect(readConnack(hex(digits), version)).toEqual(expected);
  });

  test('the next one is read as if nothing had been wrong before', () => {
    readConnack(hex('20 05 00 00 02 7f 00'), 5);
    expect(readConnack(hex('20 06 00 00 03 13 001e'), 5)).toEqual(accepted(8, { serverKeepAliveS: 30 }));
  });
});

describe('P5: refused, and whether another broker may answer otherwise', () => {
  test.each([
    [4, [0x03], [0x01, 0x02, 0x04, 0x05, 0x06, 0x80, 0xff]],
    [3, [0x03], [0x01, 0x02, 0x04, 0x05]],
    [5, [0x88, 0x89, 0x97, 0x9c, 0x9d], [0x80, 0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x95, 0x9f]],
  ] as const)('version %i', (version, elsewhere, final) => {
    const rest = version === 5 ? [0] : [];
    const answer = (code: number) => readConnack(Buffer.from([0x20, 2 + rest.length, 0, code, ...rest]), version);
    for (const code of elsewhere) expect(answer(code)).toMatchObject({ kind: 'refused', code, reroute: true });
    for (const code of final) expect(answer(code)).toMatchObject({ kind: 'refused', code, reroute: false });
  });

  test('a broker of 3.x answers a 5.0 client in its own form', () => {
    expect(readConnack(hex('20 02 00 01'), 5)).toEqual({ kind: 'refused', length: 4, code: 1, reroute: false });
  });

  test('with a Server Reference and a Reason String', () => {
    const bytes = hex('20 0d 00 9c 0a 1c 0002 6232 1f 0002 6767 ff');
    expect(readConnack(bytes, 5)).toEqual({ kind: 'refused', length: 15, code: 0x9c, reroute: true });
  });
});

describe('what is no CONNACK', () => {
  test.each([
    ['nothing yet', 5, '', 'more'],
    ['AUTH, 5.0', 5, 'f0', 'auth'],
    ['AUTH, 3.1.1', 4, 'f0 00', 'bad'],
    ['PUBLISH', 4, '30', 'bad'],
    ['reserved flags', 4, '21', 'bad'],
    ['HTTP', 4, '485454502f312e31', 'bad'],
    ['too short', 4, '20 01', 'bad'],
    ['too long, 3.1.1', 4, '20 03 00 00 00', 'bad'],
    ['properties past the end', 5, '20 03 00 00 01', 'bad'],
    ['bytes behind the properties', 5, '20 04 00 00 00 00', 'bad'],
    ['a property length that never ends', 5, '20 06 00 00 80 80 80 80', 'bad'],
    ['more than 64 KiB', 5, '20 fe ff 04', 'bad'],
    ['a fifth byte of length', 5, '20 80 80 80 80', 'bad'],
    ['64 KiB, of which the head has come', 5, '20 fc ff 03 00', 'more'],
  ] as const)('%s', (_what, version, digits, kind) => {
    expect(readConnack(hex(digits), version).kind).toBe(kind);
  });
});

describe('cut and fuzzed', () => {
  const bytes = generate(
    {
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent: false,
      properties: { assignedClientIdentifier: 'auto-1', serverKeepAlive: 45, reasonString: 'r'.repeat(300) },
    },
    { protocolVersion: 5 },
  );

  test('every cut wants more, the whole is the same', () => {
    for (let at = 0; at < bytes.length; at++) expect(readConnack(bytes.subarray(0, at), 5)).toEqual({ kind: 'more' });
    const whole = accepted(bytes.length, { assignedClientId: 'auto-1', serverKeepAliveS: 45 });
    expect(readConnack(bytes, 5)).toEqual(whole);
    expect(readConnack(Buffer.concat([bytes, hex('d000')]), 5)).toEqual(whole);
  });

  test('P7: arbitrary bytes never throw, and a length is never more than came', () => {
    const version = fc.constantFrom(3 as const, 4 as const, 5 as const);
    fc.assert(
      fc.property(fc.boolean(), fc.uint8Array({ maxLength: 80 }), version, (isConnack, tail, of) => {
        const any = Buffer.concat([isConnack ? Buffer.from([0x20, tail.length]) : Buffer.alloc(0), tail]);
        const reading = readConnack(any, of);
        if (reading.kind === 'accepted' || reading.kind === 'refused')
          expect(reading.length).toBeLessThanOrEqual(any.length);
      }),
      { numRuns: 1000 },
    );
  });
});
