import type { FieldReader } from './field_reader.ts';

type Kind = 'flag' | 'uint16' | 'uint32' | 'nonzero16' | 'nonzero32' | 'text' | 'topic' | 'binary' | 'pair';

interface Property {
  readonly name: string;
  readonly kind: Kind;
}

/** The properties that may stand in one place, by identifier (5.0, table 2-4). */
export type PropertySet = ReadonlyMap<number, Property>;

const SESSION_EXPIRY = 0x11;
const AUTHENTICATION_METHOD = 0x15;
const AUTHENTICATION_DATA = 0x16;
const USER_PROPERTY: [number, Property] = [0x26, { name: 'User Property', kind: 'pair' }];

/** 5.0, 3.1.2.11. */
export const CONNECT_PROPERTIES: PropertySet = new Map([
  [SESSION_EXPIRY, { name: 'Session Expiry Interval', kind: 'uint32' }],
  [AUTHENTICATION_METHOD, { name: 'Authentication Method', kind: 'text' }],
  [AUTHENTICATION_DATA, { name: 'Authentication Data', kind: 'binary' }],
  [0x17, { name: 'Request Problem Information', kind: 'flag' }],
  [0x19, { name: 'Request Response Information', kind: 'flag' }],
  [0x21, { name: 'Receive Maximum', kind: 'nonzero16' }],
  [0x22, { name: 'Topic Alias Maximum', kind: 'uint16' }],
  [0x27, { name: 'Maximum Packet Size', kind: 'nonzero32' }],
  USER_PROPERTY,
]);

/** 5.0, 3.1.3.2. The Response Topic is a topic name without wildcards [MQTT-3.3.2-14]. */
export const WILL_PROPERTIES: PropertySet = new Map([
  [0x01, { name: 'Payload Format Indicator', kind: 'flag' }],
  [0x02, { name: 'Message Expiry Interval', kind: 'uint32' }],
  [0x03, { name: 'Content Type', kind: 'text' }],
  [0x08, { name: 'Response Topic', kind: 'topic' }],
  [0x09, { name: 'Correlation Data', kind: 'binary' }],
  [0x18, { name: 'Will Delay Interval', kind: 'uint32' }],
  USER_PROPERTY,
]);

/** What the proxy needs of a legal property section. */
export interface PropertySection {
  /** 0 where absent (5.0, 3.1.2.11.2). */
  readonly sessionExpiryS: number;
}

/**
 * Walks over a property section: known here (5.0, 2.2.2.2), none twice but User Property, each with a legal value.
 * What is wrong is left in the reader's `fault`.
 */
export function walkProperties(reader: FieldReader, allowed: PropertySet, place: string): PropertySection {
  const section = reader.part(reader.varInt(`length of the ${place}`), place);
  const seen = new Set<number>();
  let sessionExpiryS = 0;
  while (section.left > 0) {
    const id = section.varInt(`an identifier in the ${place}`);
    const property = allowed.get(id);
    if (property === undefined) {
      section.fail(`property ${id} is not allowed in the ${place}`);
      break;
    }
    if (seen.has(id) && property.kind !== 'pair') section.fail(`${property.name} stands twice`);
    seen.add(id);
    const value = walkValue(section, property);
    if (id === SESSION_EXPIRY) sessionExpiryS = value;
  }
  // "It is a Protocol Error to include Authentication Data if there is no Authentication Method" (5.0, 3.1.2.11.10).
  if (seen.has(AUTHENTICATION_DATA) && !seen.has(AUTHENTICATION_METHOD)) {
    section.fail('Authentication Data without Authentication Method');
  }
  if (section.fault !== null) reader.fail(section.fault);
  return { sessionExpiryS };
}

/** Answers the value of a number, and 0 of anything else. */
function walkValue(reader: FieldReader, { name, kind }: Property): number {
  switch (kind) {
    case 'uint16':
      return reader.uint16(name);
    case 'uint32':
      return reader.uint32(name);
    case 'nonzero16':
      return positive(reader, reader.uint16(name), name);
    case 'nonzero32':
      return positive(reader, reader.uint32(name), name);
    case 'flag': {
      const value = reader.byte(name);
      // "A value other than 0 or 1 is a Protocol Error" (5.0, 3.1.2.11.6, 3.1.2.11.7, 3.3.2.3.2).
      if (value > 1) reader.fail(`${name} is ${value}, neither 0 nor 1`);
      return value;
    }
    case 'topic':
      reader.topic(name);
      return 0;
    case 'text':
      reader.text(name);
      return 0;
    case 'binary':
      reader.binary(name);
      return 0;
    case 'pair':
      reader.text(`name of a ${name}`);
      reader.text(`value of a ${name}`);
      return 0;
  }
}

/** A Receive Maximum or Maximum Packet Size of 0 is a Protocol Error (5.0, 3.1.2.11.3, 3.1.2.11.4). */
function positive(reader: FieldReader, value: number, name: string): number {
  if (value === 0) reader.fail(`${name} is 0`);
  return value;
}
