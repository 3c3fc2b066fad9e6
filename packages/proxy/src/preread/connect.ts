import type { Connect } from '../stages.ts';
import { decodeLegal } from './decoder.ts';
import { readHead } from './head.ts';
import { checkConnect } from './legality.ts';
import { answerFor, malformed, type Refusal } from './refusal.ts';

export type ConnectAnswer =
  | { readonly ok: true; readonly connect: Connect }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Decodes one whole CONNECT of MQTT 3.1, 3.1.1 or 5.0, and refuses what the specification forbids: name and level,
 * flags, strings, lengths, properties. mqtt-packet decodes; what it lets through is checked on the raw bytes first.
 * @param packet exactly the packet, from its first byte to its last; it is not kept
 */
export function decodeConnect(packet: Buffer): ConnectAnswer {
  const head = readHead(packet, Number.POSITIVE_INFINITY);
  if (head.kind === 'bad') return refused(head.refusal);
  if (head.kind === 'more') return refused(malformed(null, 'the CONNECT is cut'));
  if (head.packetBytes !== packet.length)
    return refused(malformed(head.version, 'remaining length is not what is there'));

  const layout = checkConnect(packet, head.bodyAt, head.version);
  if (layout.kind === 'fault') {
    const { reason, detail } = layout;
    return refused({ reason, detail, answer: answerFor(head.version, reason) });
  }
  const decoded = decodeLegal(packet, layout);
  if (typeof decoded === 'string') return refused(malformed(head.version, decoded));
  const connect: Connect = {
    version: head.version,
    bridge: head.bridge,
    clientId: decoded.clientId,
    username: decoded.username ?? null,
    clean: decoded.clean ?? false,
    keepAliveS: decoded.keepalive ?? 0,
    sessionExpiryS: layout.properties?.sessionExpiryS ?? 0,
  };
  return { ok: true, connect };
}

function refused(refusal: Refusal): ConnectAnswer {
  return { ok: false, refusal };
}
