import fc from 'fast-check';
import { generate, type IConnectPacket } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { decodeConnect } from '../../../src/preread/connect.ts';
import { ConnectReader, type Step } from '../../../src/preread/connect_reader.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import { connectBytes, field, PIPELINED, section, userProperty } from './connect_bytes.ts';

const MAX_SIZE = 64 * 1024;
const POOL = 256 * 1024;

/** Strings that MQTT allows: no surrogates, no U+0000. */
const text = fc.string({ unit: 'binary', maxLength: 40 }).map(value => value.replaceAll('\0', ''));
const topic = text.filter(value => value !== '' && !/[#+]/.test(value));
const binary = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes));
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const userProperties = fc.dictionary(
  text.filter(key => key !== '' && key !== '__proto__'),
  text,
  { minKeys: 1, maxKeys: 5 },
);

const will5 = fc.record(
  {
    willDelayInterval: uint32,
    payloadFormatIndicator: fc.boolean(),
    contentType: text,
    responseTopic: topic,
    correlationData: binary,
    userProperties,
  },
  { requiredKeys: [] },
);
const properties = fc.record(
  {
    sessionExpiryInterval: uint32,
    receiveMaximum: fc.integer({ min: 1, max: 65535 }),
    maximumPacketSize: fc.integer({ min: 1, max: 0xffffffff }),
    topicAliasMaximum: fc.nat(65535),
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    authenticationMethod: text,
    userProperties,
  },
  { requiredKeys: [] },
);

/** A legal CONNECT as mqtt-packet's writer knows it. */
const legal: fc.Arbitrary<IConnectPacket> = fc
  .record({
    version: fc.constantFrom(3 as const, 4 as const, 5 as const),
    clientId: text.filter(id => id !== ''),
    clean: fc.boolean(),
    keepalive: fc.nat(65535),
    username: fc.option(text.filter(name => name !== '')),
    password: fc.option(binary.filter(bytes => bytes.length > 0)),
    will: fc.option(
      fc.record({
        topic,
        payload: binary.filter(bytes => bytes.length > 0),
        qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
        retain: fc.boolean(),
      }),
    ),
    properties,
    willProperties: will5,
  })
  .map(one => ({
    cmd: 'connect',
    protocolId: one.version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: one.version,
    clientId: one.clientId,
    clean: one.clean,
    keepalive: one.keepalive,
    ...(one.username === null ? {} : { username: one.username }),
    ...(one.username === null || one.password === null ? {} : { password: one.password }),
    ...(one.will === null
      ? {}
      : { will: { ...one.will, ...(one.version === 5 ? { properties: one.willProperties } : {}) } }),
    ...(one.version === 5 ? { properties: one.properties } : {}),
  }));

function cut(bytes: Buffer, marks: readonly number[]): Buffer[] {
  const places = [...new Set(marks.map(mark => mark % bytes.length))].sort((a, b) => a - b);
  const ends = [...places, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

/** Pushes until there is an answer; what is left of the chunks then belongs to the next stage. */
function read(chunks: readonly Buffer[], pool: PrereadPool): { step: Step; rest: Buffer } {
  const reader = new ConnectReader({ maxSizeBytes: MAX_SIZE }, pool, () => {});
  for (const [index, chunk] of chunks.entries()) {
    const step = reader.push(chunk);
    expect(reader.reservedBytes).toBeLessThanOrEqual(Math.max(256, Math.min(MAX_SIZE, 2 * reader.receivedBytes)));
    if (step.kind !== 'more') return { step, rest: Buffer.concat(chunks.slice(index + 1)) };
  }
  return { step: { kind: 'more' }, rest: Buffer.alloc(0) };
}

test('what mqtt-packet writes is decoded to what was meant', () => {
  fc.assert(
    fc.property(legal, packet => {
      const expiry = packet.properties?.sessionExpiryInterval ?? 0;
      expect(decodeConnect(generate(packet))).toEqual({
        ok: true,
        connect: {
          version: packet.protocolVersion,
          bridge: false,
          clientId: packet.clientId,
          username: packet.username ?? null,
          clean: packet.clean,
          keepAliveS: packet.keepalive,
          sessionExpiryS: expiry,
        },
      });
    }),
  );
});

test('P1: any split of a legal CONNECT, and of what follows it, gives the same Hello', () => {
  fc.assert(
    fc.property(legal, fc.array(fc.nat(), { maxLength: 12 }), (packet, marks) => {
      const connect = generate(packet);
      const bytes = Buffer.concat([connect, PIPELINED]);
      const pool = new PrereadPool(POOL);
      const { step, rest } = read(cut(bytes, marks), pool);
      if (step.kind !== 'hello') throw new Error(JSON.stringify(step));
      expect(Buffer.concat([step.hello.bytes, rest]).equals(bytes)).toBe(true);
      expect({ ok: true, connect: step.hello.connect }).toEqual(decodeConnect(connect));
      expect(pool.usedBytes).toBe(0);
    }),
  );
});

test('P7: arbitrary bytes never throw, and are never held beyond the limit', () => {
  const head = fc.constantFrom(
    ...[3, 4, 5, 0x84].map(level => connectBytes({ level }).subarray(0, 9)),
    Buffer.alloc(0),
  );
  fc.assert(
    fc.property(head, fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(), { maxLength: 6 }), (start, tail, marks) => {
      const bytes = Buffer.concat([start, tail]);
      if (bytes.length === 0) return;
      const pool = new PrereadPool(POOL);
      const { step } = read(cut(bytes, marks), pool);
      if (step.kind === 'bad') expect(step.refusal.detail).toMatch(/^[\x20-\x7e]+$/);
      if (step.kind !== 'more') expect(pool.usedBytes).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test('P7: a legal CONNECT with some bytes changed is refused, or its id is what stands in its bytes', () => {
  const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
  fc.assert(
    fc.property(legal, fc.array(change, { minLength: 1, maxLength: 4 }), (packet, changes) => {
      const bytes = generate(packet);
      for (const { at, to } of changes) bytes[at % bytes.length] = to;
      const answer = decodeConnect(bytes);
      if (answer.ok) expect(bytes.includes(field(answer.connect.clientId))).toBe(true);
      else expect(answer.refusal.detail).toMatch(/^[\x20-\x7e]+$/);
    }),
    { numRuns: 1000 },
  );
});

test('P7: 480 KB of user properties are legal', () => {
  const many = section(...Array<Buffer>(80_000).fill(userProperty('k', '')));
  expect(decodeConnect(connectBytes({ level: 5, properties: many }))).toMatchObject({ connect: { clientId: 'a' } });
});
