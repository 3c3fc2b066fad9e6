import type { Connect } from '../stages.ts';
import { readVarInt } from '../varint.ts';
import { readProtocol } from './protocol.ts';
import { answerFor, malformed, type Refusal } from './refusal.ts';
import { refuseStranger } from './stranger.ts';

/**
 * The head of a CONNECT: fixed header, protocol name, level.
 * - `more`: fine so far. `packetBytes` is the length of the whole packet, null while its length field is cut.
 * - `head`: fine, and all there. `bodyAt` is where the connect flags stand.
 * - `bad`: nothing that may follow could make it right.
 */
export type HeadStep =
  | { readonly kind: 'more'; readonly packetBytes: number | null }
  | { readonly kind: 'bad'; readonly refusal: Refusal }
  | {
      readonly kind: 'head';
      readonly packetBytes: number;
      readonly version: Connect['version'];
      readonly bridge: boolean;
      readonly bodyAt: number;
    };

/** No head is longer: five bytes of fixed header, `MQIsdp` with its length, the level. */
export const MAX_HEAD_BYTES = 14;
/** Name and length, level, flags, keep-alive, length of the client id: nothing shorter is a CONNECT. */
const MIN_REMAINING_BYTES = 12;

const MORE: HeadStep = { kind: 'more', packetBytes: null };

/**
 * Reads as much of the head as is there.
 * @param maxSizeBytes what the whole packet, with its fixed header, may take
 */
export function readHead(bytes: Buffer, maxSizeBytes: number): HeadStep {
  if (bytes.length === 0) return MORE;
  if (bytes[0] !== 0x10) return { kind: 'bad', refusal: refuseStranger(bytes) };
  const length = readVarInt(bytes, 1);
  if (length.kind === 'more') return MORE;
  // Section 2.2.3 of 3.1.1, 1.5.5 of 5.0: at most four bytes.
  if (length.kind === 'bad') return bad(malformed(null, 'a fifth byte of remaining length'));

  const packetBytes = length.end + length.value;
  if (packetBytes > maxSizeBytes) return bad(tooLarge(bytes, length.end, packetBytes, maxSizeBytes));
  if (length.value < MIN_REMAINING_BYTES) {
    return bad(malformed(versionAt(bytes, length.end), `remaining length ${length.value} is too short for a CONNECT`));
  }
  const protocol = readProtocol(bytes, length.end);
  if (protocol.kind === 'bad') return bad(protocol.refusal);
  if (protocol.kind === 'more') return { kind: 'more', packetBytes };
  // 5.0 wants the shortest form [MQTT-1.5.5-1]; 3.x says nothing of it.
  if (protocol.version === 5 && length.isOverlong)
    return bad(malformed(5, 'remaining length is not in its shortest form'));
  return { kind: 'head', packetBytes, version: protocol.version, bridge: protocol.bridge, bodyAt: protocol.end };
}

/** The version, if the bytes at hand already tell it. */
function versionAt(bytes: Buffer, at: number): Connect['version'] | null {
  const protocol = readProtocol(bytes, at);
  return protocol.kind === 'protocol' ? protocol.version : null;
}

function tooLarge(bytes: Buffer, at: number, packetBytes: number, maxSizeBytes: number): Refusal {
  const detail = `CONNECT of ${packetBytes} bytes, max_connect_size is ${maxSizeBytes}`;
  return { reason: 'too_large', detail, answer: answerFor(versionAt(bytes, at), 'too_large') };
}

function bad(refusal: Refusal): HeadStep {
  return { kind: 'bad', refusal };
}
