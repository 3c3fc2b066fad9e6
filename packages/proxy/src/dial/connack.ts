import { type IConnackPacket, type Packet, parser } from 'mqtt-packet';
import type { Connect } from '../stages.ts';
import { readVarInt } from '../varint.ts';

/**
 * A broker's first packet, as far as it has come. `length` is the length of the whole CONNACK.
 * - `accepted`: code 0.
 * - `refused`: `reroute` says that another broker may answer otherwise.
 * - `auth`: enhanced authentication goes on before any CONNACK (5.0, 4.12); from here on bytes are passed through.
 * - `bad`: not an answer to a CONNECT.
 */
export type ConnackReading =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'accepted';
      readonly length: number;
      /** 5.0: the id that the broker made for a client without one. */
      readonly assignedClientId: string | null;
      /** 5.0: the broker's word over the client's own keep-alive. */
      readonly serverKeepAliveS: number | null;
      readonly sessionPresent: boolean;
    }
  | { readonly kind: 'refused'; readonly length: number; readonly code: number; readonly reroute: boolean }
  | { readonly kind: 'auth' }
  | { readonly kind: 'bad'; readonly detail: string };

const CONNACK = 0x20;
const AUTH = 0xf0;
/** All fields but User Property together take less; nothing useful is longer, and it is held for every dialled client. */
const MAX_CONNACK_BYTES = 64 * 1024;
const MORE: ConnackReading = { kind: 'more' };

/** 3.x: Server unavailable. */
const REROUTE_3: ReadonlySet<number> = new Set([0x03]);
/** 5.0: Server unavailable, Server busy, Quota exceeded, Use another server, Server moved. */
const REROUTE_5: ReadonlySet<number> = new Set([0x88, 0x89, 0x97, 0x9c, 0x9d]);

/**
 * Reads the first packet of a broker. Lengths must be right, or the rest of the stream could not be read; all else is
 * the client's to judge: the packet goes to it as it came.
 * @param bytes everything that the broker has sent; the caller needs to hold no more than 64 KiB and 4 bytes of it
 */
export function readConnack(bytes: Buffer, version: Connect['version']): ConnackReading {
  const first = bytes[0];
  if (first === undefined) return MORE;
  if (first === AUTH && version === 5) return { kind: 'auth' };
  if (first !== CONNACK) return bad(`first byte 0x${first.toString(16).padStart(2, '0')}, not a CONNACK`);
  const remaining = readVarInt(bytes, 1);
  if (remaining.kind === 'more') return MORE;
  if (remaining.kind === 'bad' || remaining.end + remaining.value > MAX_CONNACK_BYTES) {
    return bad('a CONNACK of more than 64 KiB');
  }
  const length = remaining.end + remaining.value;
  // 3.1.1, 3.2.1: two bytes follow, always. A 3.x broker that refuses a 5.0 client answers so, too.
  if (remaining.value < 2 || (version !== 5 && remaining.value > 2)) {
    return bad(`a CONNACK with remaining length ${remaining.value}`);
  }
  return bytes.length < length ? MORE : readWhole(bytes.subarray(0, length), remaining.end, version);
}

/** @param at offset of the acknowledge flags */
function readWhole(connack: Buffer, at: number, version: Connect['version']): ConnackReading {
  const sessionPresent = ((connack[at] ?? 0) & 0x01) !== 0;
  const code = connack[at + 1] ?? 0;
  const hasProperties = connack.length > at + 2;
  if (hasProperties && !isFilled(connack, at + 2)) return bad('a CONNACK whose properties do not end where it ends');
  if (code !== 0) {
    const reroute = (version === 5 ? REROUTE_5 : REROUTE_3).has(code);
    return { kind: 'refused', length: connack.length, code, reroute };
  }
  const properties = hasProperties && connack.length > at + 3 ? decodeProperties(connack) : undefined;
  return {
    kind: 'accepted',
    length: connack.length,
    assignedClientId: idOf(properties?.assignedClientIdentifier),
    serverKeepAliveS: keepAliveOf(properties?.serverKeepAlive),
    sessionPresent,
  };
}

/** Whether the property section takes exactly what is left of the packet (5.0, 3.2.2.3.1). */
function isFilled(connack: Buffer, at: number): boolean {
  const length = readVarInt(connack, at);
  return length.kind === 'value' && length.end + length.value === connack.length;
}

/** mqtt-packet says null of a cut string, and gives a list where a property stands twice. Invalid UTF-8 is no key. */
function idOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && !value.includes('\ufffd') ? value : null;
}

/** mqtt-packet says -1 of a cut number. */
function keepAliveOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}

/** Undefined too where mqtt-packet does not know a property: the client may. */
function decodeProperties(connack: Buffer): IConnackPacket['properties'] {
  let decoded: Packet | null = null;
  const made = parser({ protocolVersion: 5 });
  made.on('packet', packet => {
    decoded = packet;
  });
  made.on('error', () => {
    decoded = null;
  });
  made.parse(connack);
  return (decoded as IConnackPacket | null)?.properties;
}

function bad(detail: string): ConnackReading {
  return { kind: 'bad', detail };
}
