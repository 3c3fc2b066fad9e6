import { describe, expect, test } from 'vitest';
import { decodeConnect } from '../../../src/preread/connect.ts';
import { connectBytes, field, hex, section, userProperty } from './connect_bytes.ts';

const UNACCEPTABLE_3 = '20020001';
const UNACCEPTABLE_5 = '2003008400';
const MALFORMED_5 = '2003008100';

function refusalOf(packet: Buffer): { reason: string; answer: string | null } {
  const answer = decodeConnect(packet);
  if (answer.ok) throw new Error(`accepted: ${packet.toString('hex')}`);
  expect(answer.refusal.detail).toMatch(/^[\x20-\x7e]+$/);
  return { reason: answer.refusal.reason, answer: answer.refusal.answer?.toString('hex') ?? null };
}

describe('legal CONNECTs', () => {
  test.each([
    ['3.1', connectBytes({ level: 3 }), { version: 3, bridge: false, clean: true }],
    ['3.1.1', connectBytes({ level: 4, flags: 0 }), { version: 4, bridge: false, clean: false }],
    ['5.0', connectBytes({ level: 5 }), { version: 5, bridge: false, sessionExpiryS: 0 }],
    ['3.1 bridge', connectBytes({ level: 0x83 }), { version: 3, bridge: true }],
    ['3.1.1 bridge', connectBytes({ level: 0x84 }), { version: 4, bridge: true }],
    ['keep-alive of 18 hours', connectBytes({ level: 4, keepAliveS: 65535 }), { keepAliveS: 65535 }],
    ['empty id, 3.1.1 clean', connectBytes({ level: 4, payload: [field('')] }), { clientId: '' }],
    ['empty id, 5.0 not clean', connectBytes({ level: 5, flags: 0, payload: [field('')] }), { clientId: '' }],
    ['5.0 expiry', connectBytes({ level: 5, properties: section(hex('11 ffffffff')) }), { sessionExpiryS: 0xffffffff }],
    ['U+FEFF is kept [MQTT-1.5.3-3]', connectBytes({ level: 4, payload: [field('\ufeffa')] }), { clientId: '\ufeffa' }],
    ['an id of an emoji', connectBytes({ level: 4, payload: [field('🐚')] }), { clientId: '🐚' }],
    ['controls SHOULD not, but may', connectBytes({ level: 4, payload: [field('a\x01')] }), { clientId: 'a\x01' }],
    ['user name', connectBytes({ level: 4, flags: 0x82, payload: [field('a'), field('bob')] }), { username: 'bob' }],
    ['empty user name', connectBytes({ level: 4, flags: 0x82, payload: [field('a'), field('')] }), { username: '' }],
    ['3.1, user name announced and missing', connectBytes({ level: 3, flags: 0x82 }), { username: null }],
    ['3.1, both announced and missing', connectBytes({ level: 3, flags: 0xc2 }), { username: null }],
    [
      '3.1, password announced and missing',
      connectBytes({ level: 3, flags: 0xc2, payload: [field('a'), field('bob')] }),
      { username: 'bob' },
    ],
    [
      '5.0, password alone',
      connectBytes({ level: 5, flags: 0x42, payload: [field('a'), field('pw')] }),
      { version: 5 },
    ],
    [
      'every CONNECT property',
      connectBytes({
        level: 5,
        properties: section(
          hex('11 0000000a 21 0001 27 00000001 22 ffff 19 01 17 00'),
          userProperty('k', 'v'),
          userProperty('k', 'v'),
          hex('15'),
          field('SCRAM'),
          hex('16'),
          field(hex('00ff')),
        ),
      }),
      { sessionExpiryS: 10 },
    ],
    [
      'every will property',
      connectBytes({
        level: 5,
        flags: 0xf6,
        payload: [
          field('a'),
          section(hex('18 00000001 01 01 02 00000001 03'), field('json'), hex('08'), field('r'), hex('09'), field('c')),
          field('will'),
          field(hex('ff00')),
          field('bob'),
          field(hex('ff')),
        ],
      }),
      { clientId: 'a', username: 'bob' },
    ],
    [
      'many properties, which the decoder is spared',
      connectBytes({
        level: 5,
        flags: 0x86,
        properties: section(hex('11 00000007'), userProperty('k', 'v'.repeat(3000))),
        payload: [field('a'), section(userProperty('k', 'v'.repeat(3000))), field('will'), field(''), field('bob')],
      }),
      { clientId: 'a', username: 'bob', sessionExpiryS: 7, keepAliveS: 60, clean: true },
    ],
  ])('%s', (_what, packet, expected) => {
    const before = Buffer.from(packet);
    expect(decodeConnect(packet)).toMatchObject({ ok: true, connect: expected });
    expect(packet.equals(before)).toBe(true);
  });
});

describe('P7: name and level', () => {
  test.each([
    ['mqtt in lower case [MQTT-3.1.2-1]', connectBytes({ level: 4, name: 'mqtt' }), 'bad_protocol_name', null],
    ['MQIsdq', connectBytes({ level: 3, name: 'MQIsdq' }), 'bad_protocol_name', null],
    ['MQTTX', connectBytes({ level: 4, name: 'MQTTX' }), 'bad_protocol_name', null],
    ['an empty name', connectBytes({ level: 4, name: '', payload: [field('abcdef')] }), 'bad_protocol_name', null],
    [
      'MQTT at level 3 [MQTT-3.1.2-2]',
      connectBytes({ level: 3, name: 'MQTT' }),
      'unacceptable_version',
      UNACCEPTABLE_3,
    ],
    ['MQTT at level 0', connectBytes({ level: 0 }), 'unacceptable_version', UNACCEPTABLE_3],
    ['MQTT at level 0x83', connectBytes({ level: 0x83, name: 'MQTT' }), 'unacceptable_version', UNACCEPTABLE_3],
    ['MQTT at level 6', connectBytes({ level: 6 }), 'unacceptable_version', UNACCEPTABLE_5],
    ['the bridge bit in 5.0', connectBytes({ level: 0x85 }), 'unacceptable_version', UNACCEPTABLE_5],
    ['MQIsdp at level 4', connectBytes({ level: 4, name: 'MQIsdp' }), 'unacceptable_version', UNACCEPTABLE_3],
    ['MQIsdp at level 5', connectBytes({ level: 5, name: 'MQIsdp' }), 'unacceptable_version', UNACCEPTABLE_3],
  ])('%s', (_what, packet, reason, answer) => {
    expect(refusalOf(packet)).toEqual({ reason, answer });
  });
});

describe('P7: an empty client id', () => {
  test.each([
    ['3.1.1 [MQTT-3.1.3-8]', 4],
    ['3.1', 3],
  ] as const)('with clean session 0: %s', (_what, level) => {
    const packet = connectBytes({ level, flags: 0, payload: [field('')] });
    expect(refusalOf(packet)).toEqual({ reason: 'identifier_rejected', answer: '20020002' });
  });
});

const BAD_TEXTS: readonly [string, Buffer][] = [
  ['a lone continuation byte', hex('80')],
  ['a cut sequence', hex('61 e2 82')],
  ['a surrogate', hex('ed a0 80')],
  ['a surrogate pair (CESU-8)', hex('ed a0 bd ed b8 80')],
  ['an overlong slash', hex('c0 af')],
  ['an overlong U+0000', hex('c0 80')],
  ['above U+10FFFF', hex('f4 90 80 80')],
  ['0xff', hex('ff')],
  ['U+0000', hex('61 00 62')],
];
const WILL = [field('w'), field('p')] as const;

describe.each([3, 4, 5] as const)('P7: strings at level %i, [MQTT-1.5.3-1] and [MQTT-1.5.4-1]', level => {
  const willProperties = level === 5 ? [hex('00')] : [];
  const answer = level === 5 ? MALFORMED_5 : null;
  test.each(BAD_TEXTS)('%s', (_what, bad) => {
    for (const packet of [
      connectBytes({ level, payload: [field(bad)] }),
      connectBytes({ level, flags: 0x82, payload: [field('a'), field(bad)] }),
      connectBytes({ level, flags: 0x06, payload: [field('a'), ...willProperties, field(bad), field('p')] }),
    ]) {
      expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer });
    }
  });

  test('binary fields may hold anything', () => {
    const will = [...willProperties, field('w'), field(hex('c0 80 00'))];
    const packet = connectBytes({
      level,
      flags: 0xc6,
      payload: [field('a'), ...will, field('bob'), field(hex('ff 00'))],
    });
    expect(decodeConnect(packet)).toMatchObject({ ok: true });
  });
});

describe.each([3, 4, 5] as const)('P7: flags and lengths at level %i', level => {
  const willProperties = level === 5 ? [hex('00')] : [];
  const legal = connectBytes({ level, flags: 0x06, payload: [field('a'), ...willProperties, ...WILL] });
  const cut = legal.subarray(0, -1);
  test.each([
    ['the reserved flag [MQTT-3.1.2-3]', connectBytes({ level, flags: 0x03 })],
    ['will QoS 1 without a will [MQTT-3.1.2-13, 5.0: -11]', connectBytes({ level, flags: 0x0a })],
    ['will retain without a will [MQTT-3.1.2-15, 5.0: -13]', connectBytes({ level, flags: 0x22 })],
    [
      'will QoS 3 [MQTT-3.1.2-14, 5.0: -12]',
      connectBytes({ level, flags: 0x1e, payload: [field('a'), ...willProperties, ...WILL] }),
    ],
    ['a will that is not there', connectBytes({ level, flags: 0x06 })],
    [
      'an empty will topic [MQTT-4.7.3-1]',
      connectBytes({ level, flags: 6, payload: [field('a'), ...willProperties, hex('0000 0000')] }),
    ],
    [
      '# in a will topic [MQTT-4.7.1-1]',
      connectBytes({ level, flags: 6, payload: [field('a'), ...willProperties, field('a/#'), field('')] }),
    ],
    [
      '+ in a will topic',
      connectBytes({ level, flags: 6, payload: [field('a'), ...willProperties, field('+'), field('')] }),
    ],
    ['a byte behind the last field', connectBytes({ level, payload: [field('a'), hex('00')] })],
    ['a field nobody announced', connectBytes({ level, payload: [field('a'), field('bob')] })],
    ['an id that runs past the end', connectBytes({ level, payload: [hex('0005 61 62 63')] })],
    [
      'a password that runs past the end',
      connectBytes({ level, flags: 0xc2, payload: [field('a'), field('b'), hex('0009 61')] }),
    ],
    ['a packet that its length cuts', Buffer.concat([hex('10'), Buffer.from([cut.length - 2]), cut.subarray(2)])],
  ])('%s', (_what, packet) => {
    expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer: level === 5 ? MALFORMED_5 : null });
  });

  if (level !== 5) {
    test('a password without a user name [MQTT-3.1.2-22]', () => {
      const packet = connectBytes({ level, flags: 0x42, payload: [field('a'), field('pw')] });
      expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer: null });
    });
  }
});

test.each([4, 5] as const)('P7: a user name announced and missing at level %i', level => {
  const packet = connectBytes({ level, flags: 0x82 });
  expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer: level === 5 ? MALFORMED_5 : null });
});

describe('P7: CONNECT properties of 5.0', () => {
  test.each([
    ['Session Expiry Interval twice, 3.1.2.11.2', section(hex('11 00000001 11 00000001'))],
    ['Receive Maximum twice', section(hex('21 0001 21 0001'))],
    ['Authentication Method twice', section(hex('15 0001 61 15 0001 61'))],
    ['Receive Maximum 0, 3.1.2.11.3', section(hex('21 0000'))],
    ['Maximum Packet Size 0, 3.1.2.11.4', section(hex('27 00000000'))],
    ['Request Response Information 2, 3.1.2.11.6', section(hex('19 02'))],
    ['Request Problem Information 2, 3.1.2.11.7', section(hex('17 02'))],
    ['Authentication Data without Method, 3.1.2.11.10', section(hex('16 0001 61'))],
    ['property 0, 2.2.2.2', section(hex('00'))],
    ['property 0x7f', section(hex('7f'))],
    ['a will property', section(hex('18 00000001'))],
    ['a PUBLISH property', section(hex('23 0001'))],
    ['an identifier in a longer form [MQTT-1.5.5-1]', section(hex('91 00 00000001'))],
    ['a value that runs past the section', section(hex('11 0000'))],
    ['a name that runs past the section', section(hex('26 00ff 61'))],
    ['a name without a value', section(hex('26 0001 61'))],
    ['a name that is not UTF-8', section(userProperty(hex('ff'), 'v'))],
    ['a value with U+0000', section(userProperty('k', hex('00')))],
    ['a method that is not UTF-8', section(hex('15 0001 ff'))],
    ['a section longer than the packet', hex('7f 11 00000001')],
    ['a section length in a longer form', hex('80 00')],
    ['a section length of five bytes', hex('80 80 80 80 01')],
  ])('%s', (_what, properties) => {
    const packet = connectBytes({ level: 5, properties, payload: [field('abcdef')] });
    expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer: MALFORMED_5 });
  });
});

describe('P7: will properties of 5.0', () => {
  test.each([
    ['Will Delay Interval twice, 3.1.3.2.2', section(hex('18 00000001 18 00000001'))],
    ['Payload Format Indicator 2, 3.3.2.3.2', section(hex('01 02'))],
    ['a CONNECT property', section(hex('11 00000001'))],
    ['a wildcard in the Response Topic [MQTT-3.3.2-14]', section(hex('08'), field('r/+'))],
    ['a Content Type that is not UTF-8', section(hex('03 0001 ff'))],
    ['Correlation Data past the section', section(hex('09 0002 61'))],
  ])('%s', (_what, properties) => {
    const packet = connectBytes({ level: 5, flags: 0x06, payload: [field('a'), properties, ...WILL] });
    expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer: MALFORMED_5 });
  });
});

describe('P7: what is no CONNECT at all', () => {
  const long = connectBytes({ level: 5 });
  test.each([
    ['nothing', Buffer.alloc(0), null],
    ['only a fixed header', hex('10 00'), null],
    ['reserved flags of the first byte [MQTT-2.2.2-2]', connectBytes({ level: 4, first: 0x11 }), null],
    [
      'a remaining length in a longer form, 5.0 [MQTT-1.5.5-1]',
      Buffer.concat([hex('10'), Buffer.from([0x80 | (long.length - 2), 0]), long.subarray(2)]),
      MALFORMED_5,
    ],
    ['more than the packet', Buffer.concat([long, hex('00')]), MALFORMED_5],
    ['less than the packet', connectBytes({ level: 4 }).subarray(0, -1), null],
  ])('%s', (_what, packet, answer) => {
    expect(refusalOf(packet)).toEqual({ reason: 'malformed', answer });
  });

  test('in 3.x the longer form of a remaining length is legal', () => {
    const packet = connectBytes({ level: 4 });
    const longer = Buffer.concat([hex('10'), Buffer.from([0x80 | (packet.length - 2), 0]), packet.subarray(2)]);
    expect(decodeConnect(longer)).toMatchObject({ ok: true });
  });

  test('one bad CONNECT leaves the decoder good for the next', () => {
    for (let round = 0; round < 3; round++) {
      expect(decodeConnect(connectBytes({ level: 4, payload: [field(hex('ff'))] })).ok).toBe(false);
      expect(decodeConnect(connectBytes({ level: 4, payload: [field('next')] }))).toMatchObject({
        connect: { clientId: 'next' },
      });
    }
  });
});
