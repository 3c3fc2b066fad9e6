import { type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { FLAG, type Layout } from './legality.ts';

/**
 * mqtt-packet makes strings and an object of every user property: some 50 ms for 512 KiB of them, in which a worker
 * serves nobody. Nothing here reads them, so sections longer than this are left out of what it is given.
 */
const MAX_DECODED_PROPERTY_BYTES = 1024;

/** Between fixed header and properties: `MQTT` with its length, level, flags, keep-alive. */
const HEAD_OF_5_BYTES = 10;

type Decode = (packet: Buffer) => Packet | string;

/** One for the process: making a parser costs as much as decoding a CONNECT. It keeps the last CONNECT until the next. */
let decode: Decode = makeDecode();

/** Decodes a whole CONNECT that was found legal. A string: why mqtt-packet does not take it. */
export function decodeLegal(packet: Buffer, layout: Layout): IConnectPacket | string {
  const decoded = decode(decodable(packet, layout));
  if (typeof decoded !== 'string' && decoded.cmd === 'connect') return decoded;
  // What a parser holds after an error is not defined; the next client gets a new one.
  decode = makeDecode();
  return typeof decoded === 'string' ? decoded : `${decoded.cmd} instead of CONNECT`;
}

function makeDecode(): Decode {
  let answer: Packet | string = '';
  const made = parser();
  made.on('packet', packet => {
    answer = packet;
  });
  made.on('error', (error: Error) => {
    answer = error.message;
  });
  return packet => {
    answer = 'not a whole packet';
    made.parse(packet);
    return answer;
  };
}

/** The packet itself, but for two cases that mqtt-packet cannot take, or not in bearable time. */
function decodable(packet: Buffer, layout: Layout): Buffer {
  const withFields = layout.hasUsername && layout.hasPassword ? packet : withHonestFlags(packet, layout);
  return propertyBytes(layout) > MAX_DECODED_PROPERTY_BYTES ? withoutProperties(withFields, layout) : withFields;
}

/** 3.1 may announce a user name or password that is missing. */
function withHonestFlags(packet: Buffer, layout: Layout): Buffer {
  const flags = packet[layout.flagsAt] ?? 0;
  const present = (layout.hasUsername ? FLAG.username : 0) | (layout.hasPassword ? FLAG.password : 0);
  const honest = (flags & ~(FLAG.username | FLAG.password)) | present;
  if (honest === flags) return packet;
  const copy = Buffer.from(packet);
  copy[layout.flagsAt] = honest;
  return copy;
}

function propertyBytes({ properties, willProperties }: Layout): number {
  const own = properties === null ? 0 : properties.end - properties.start;
  return own + (willProperties === null ? 0 : willProperties.end - willProperties.start);
}

/** The same CONNECT with empty property sections, for the decoder only. */
function withoutProperties(packet: Buffer, { properties, willProperties }: Layout): Buffer {
  if (properties === null) return packet;
  const empty = Buffer.of(0);
  const headAt = properties.start - HEAD_OF_5_BYTES;
  const parts = [packet.subarray(headAt, properties.start), empty];
  if (willProperties === null) parts.push(packet.subarray(properties.end));
  else parts.push(packet.subarray(properties.end, willProperties.start), empty, packet.subarray(willProperties.end));
  return Buffer.concat([fixedHeader(parts), ...parts]);
}

function fixedHeader(parts: readonly Buffer[]): Buffer {
  let left = parts.reduce((sum, part) => sum + part.length, 0);
  const header = [0x10];
  do {
    header.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(header);
}
