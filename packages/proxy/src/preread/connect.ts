import type { Connect } from '../stages.ts';
import { readHead } from './head.ts';
import { checkConnect } from './legality.ts';
import { answerFor, malformed, type Refusal } from './refusal.ts';

export type ConnectAnswer =
  | { readonly ok: true; readonly connect: Connect }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Decodes one whole CONNECT of MQTT 3.1, 3.1.1 or 5.0, and refuses what the specification forbids: name and level,
 * flags, strings, lengths, properties.
 * @param packet exactly the packet, from its first byte to its last; it is not kept
 */
export function decodeConnect(packet: Buffer): ConnectAnswer {
  const head = readHead(packet, Number.POSITIVE_INFINITY);
  if (head.kind === 'bad') return refused(head.refusal);
  if (head.kind === 'more') return refused(malformed(null, 'the CONNECT is cut'));
  if (head.packetBytes !== packet.length)
    return refused(malformed(head.version, 'remaining length is not what is there'));

  const legal = checkConnect(packet, head.bodyAt, head.version);
  if (legal.kind === 'fault') {
    const { reason, detail } = legal;
    return refused({ reason, detail, answer: answerFor(head.version, reason) });
  }
  const { version, bridge } = head;
  const { clientId, username, clean, keepAliveS, sessionExpiryS } = legal;
  return { ok: true, connect: { version, bridge, clientId, username, clean, keepAliveS, sessionExpiryS } };
}

function refused(refusal: Refusal): ConnectAnswer {
  return { ok: false, refusal };
}
