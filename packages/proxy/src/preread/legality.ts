import type { Connect } from '../stages.ts';
import { FieldReader } from './field_reader.ts';
import { CONNECT_PROPERTIES, WILL_PROPERTIES, walkProperties } from './properties.ts';

/** Bits of the connect flags (3.1.1, 3.1.2.3; 5.0, 3.1.2.3). */
const FLAG = {
  username: 0x80,
  password: 0x40,
  willRetain: 0x20,
  willQos: 0x18,
  will: 0x04,
  clean: 0x02,
} as const;
const RESERVED_FLAG = 0x01;

/** What is read of a legal CONNECT. */
export interface LegalConnect {
  readonly kind: 'legal';
  readonly clientId: string;
  readonly username: string | null;
  readonly clean: boolean;
  readonly keepAliveS: number;
  readonly sessionExpiryS: number;
}

/** What the specification forbids and this CONNECT does. */
export interface Fault {
  readonly kind: 'fault';
  readonly reason: 'malformed' | 'identifier_rejected';
  readonly detail: string;
}

/**
 * Walks over the raw bytes of a CONNECT from its flags to its end and checks every MUST of 3.1.2 and 3.1.3, as
 * [MQTT-3.1.4-1] asks of a server. What is wanted of it is read on the way: a decoder would walk once more, and make an
 * object of every user property.
 * @param flagsAt offset of the connect flags, behind the level
 */
export function checkConnect(packet: Buffer, flagsAt: number, version: Connect['version']): LegalConnect | Fault {
  const reader = new FieldReader(packet, flagsAt, packet.length);
  const flags = reader.byte('connect flags');
  const wrongFlags = checkFlags(flags, version);
  if (wrongFlags !== null) return { kind: 'fault', reason: 'malformed', detail: wrongFlags };
  const keepAliveS = reader.uint16('keep-alive');
  const properties = version === 5 ? walkProperties(reader, CONNECT_PROPERTIES, 'properties') : null;
  const id: Span = { length: reader.text('client id'), end: reader.at };
  if ((flags & FLAG.will) !== 0) walkWill(reader, version);
  const name = walkUsername(reader, flags, version);
  walkPassword(reader, flags, version);
  if (reader.left > 0) reader.fail(`${reader.left} bytes behind the last field`);
  if (reader.fault !== null) return { kind: 'fault', reason: 'malformed', detail: reader.fault };
  if (id.length === 0 && !mayBeNameless(flags, version)) {
    return { kind: 'fault', reason: 'identifier_rejected', detail: 'empty client id with clean session 0' };
  }
  return {
    kind: 'legal',
    clientId: textOf(packet, id),
    username: name === null ? null : textOf(packet, name),
    clean: (flags & FLAG.clean) !== 0,
    keepAliveS,
    sessionExpiryS: properties?.sessionExpiryS ?? 0,
  };
}

/** A string of the packet, found to be UTF-8. */
interface Span {
  readonly length: number;
  readonly end: number;
}

function textOf(packet: Buffer, { length, end }: Span): string {
  return packet.toString('utf8', end - length, end);
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
function walkWill(reader: FieldReader, version: Connect['version']): void {
  if (version === 5) walkProperties(reader, WILL_PROPERTIES, 'will properties');
  reader.topic('will topic');
  reader.binary('will payload');
}

/**
 * 3.1 (its section 3.1, "User name and password flags") lets the length of the packet win over these flags: a server
 * must allow for a user name, or a password, that is announced and missing.
 */
function walkUsername(reader: FieldReader, flags: number, version: Connect['version']): Span | null {
  if ((flags & FLAG.username) === 0 || (version === 3 && reader.left === 0)) return null;
  return { length: reader.text('user name'), end: reader.at };
}

function walkPassword(reader: FieldReader, flags: number, version: Connect['version']): void {
  if ((flags & FLAG.password) !== 0 && (version !== 3 || reader.left > 0)) reader.binary('password');
}

/**
 * An empty id wants clean session 1 ([MQTT-3.1.3-7], [MQTT-3.1.3-8] of 3.1.1). In 5.0 it is always legal. 3.1 knows no
 * empty id; with clean session 1 brokers differ, and it costs no session, so the broker is asked.
 */
function mayBeNameless(flags: number, version: Connect['version']): boolean {
  return version === 5 || (flags & FLAG.clean) !== 0;
}
