import type { Connect } from '../stages.ts';
import { FieldReader } from './field_reader.ts';
import { CONNECT_PROPERTIES, type PropertySection, WILL_PROPERTIES, walkProperties } from './properties.ts';

/** Bits of the connect flags (3.1.1, 3.1.2.3; 5.0, 3.1.2.3). */
export const FLAG = {
  username: 0x80,
  password: 0x40,
  willRetain: 0x20,
  willQos: 0x18,
  will: 0x04,
  clean: 0x02,
} as const;
const RESERVED_FLAG = 0x01;

/** Where the parts of a legal CONNECT stand that the decoder must be spared or told of. */
export interface Layout {
  readonly kind: 'layout';
  readonly flagsAt: number;
  /** Null in 3.x. */
  readonly properties: PropertySection | null;
  /** Null in 3.x, and without a will. */
  readonly willProperties: PropertySection | null;
  readonly hasUsername: boolean;
  readonly hasPassword: boolean;
}

/** What the specification forbids and this CONNECT does. */
export interface Fault {
  readonly kind: 'fault';
  readonly reason: 'malformed' | 'identifier_rejected';
  readonly detail: string;
}

/**
 * Walks over the raw bytes of a CONNECT from its flags to its end and checks every MUST of 3.1.2 and 3.1.3, as
 * [MQTT-3.1.4-1] asks of a server.
 * @param flagsAt offset of the connect flags, behind the level
 */
export function checkConnect(packet: Buffer, flagsAt: number, version: Connect['version']): Layout | Fault {
  const reader = new FieldReader(packet, flagsAt, packet.length);
  const flags = reader.byte('connect flags');
  const wrongFlags = checkFlags(flags, version);
  if (wrongFlags !== null) return { kind: 'fault', reason: 'malformed', detail: wrongFlags };
  reader.uint16('keep-alive');
  const properties = version === 5 ? walkProperties(reader, CONNECT_PROPERTIES, 'properties') : null;
  const hasId = reader.text('client id') > 0;
  const willProperties = (flags & FLAG.will) !== 0 ? walkWill(reader, version) : null;
  const hasUsername = walkUsername(reader, flags, version);
  const hasPassword = walkPassword(reader, flags, version);
  if (reader.left > 0) reader.fail(`${reader.left} bytes behind the last field`);
  if (reader.fault !== null) return { kind: 'fault', reason: 'malformed', detail: reader.fault };
  if (!hasId && !mayBeNameless(flags, version)) {
    return { kind: 'fault', reason: 'identifier_rejected', detail: 'empty client id with clean session 0' };
  }
  return { kind: 'layout', flagsAt, properties, willProperties, hasUsername, hasPassword };
}

function checkFlags(flags: number, version: Connect['version']): string | null {
  const hasWill = (flags & FLAG.will) !== 0;
  // [MQTT-3.1.2-3]
  if ((flags & RESERVED_FLAG) !== 0) return 'the reserved connect flag is set';
  // [MQTT-3.1.2-13] of 3.1.1, [MQTT-3.1.2-11] of 5.0
  if (!hasWill && (flags & FLAG.willQos) !== 0) return 'will QoS without a will';
  // [MQTT-3.1.2-15] of 3.1.1, [MQTT-3.1.2-13] of 5.0
  if (!hasWill && (flags & FLAG.willRetain) !== 0) return 'will retain without a will';
  // [MQTT-3.1.2-14] of 3.1.1, [MQTT-3.1.2-12] of 5.0
  if ((flags & FLAG.willQos) === FLAG.willQos) return 'will QoS 3';
  // [MQTT-3.1.2-22] of 3.1.1. 5.0 allows it (3.1.2.9).
  const hasOnlyPassword = (flags & FLAG.password) !== 0 && (flags & FLAG.username) === 0;
  return version !== 5 && hasOnlyPassword ? 'a password without a user name' : null;
}

/** [MQTT-3.1.3-1]: will properties (5.0), topic, payload, in this order. */
function walkWill(reader: FieldReader, version: Connect['version']): PropertySection | null {
  const properties = version === 5 ? walkProperties(reader, WILL_PROPERTIES, 'will properties') : null;
  reader.topic('will topic');
  reader.binary('will payload');
  return properties;
}

/**
 * 3.1 (its section 3.1, "User name and password flags") lets the length of the packet win over these flags: a server
 * must allow for a user name, or a password, that is announced and missing.
 */
function walkUsername(reader: FieldReader, flags: number, version: Connect['version']): boolean {
  if ((flags & FLAG.username) === 0 || (version === 3 && reader.left === 0)) return false;
  reader.text('user name');
  return true;
}

function walkPassword(reader: FieldReader, flags: number, version: Connect['version']): boolean {
  if ((flags & FLAG.password) === 0 || (version === 3 && reader.left === 0)) return false;
  reader.binary('password');
  return true;
}

/**
 * An empty id wants clean session 1 ([MQTT-3.1.3-7], [MQTT-3.1.3-8] of 3.1.1). In 5.0 it is always legal. 3.1 knows no
 * empty id; with clean session 1 brokers differ, and it costs no session, so the broker is asked.
 */
function mayBeNameless(flags: number, version: Connect['version']): boolean {
  return version === 5 || (flags & FLAG.clean) !== 0;
}
