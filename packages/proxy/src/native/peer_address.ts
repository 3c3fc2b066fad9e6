import ipaddr from 'ipaddr.js';
import type { Address } from '../stages.ts';

const FAMILY_4 = 4;
const PORT_AT = 17;

/** An address as the engine tells it (`Accepted address` in addon.ts), spelt as Node spells a socket's. */
export function peerAddress(payload: Buffer, at: number): Address {
  const port = ((payload[at + PORT_AT] as number) << 8) | (payload[at + PORT_AT + 1] as number);
  return { address: payload[at] === FAMILY_4 ? ipv4(payload, at + 1) : ipv6(payload, at + 1), port };
}

/** By join(), which makes one string: a template makes a tree of pieces, and a session keeps it for as long as it lasts. */
function ipv4(bytes: Buffer, at: number): string {
  return [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]].join('.');
}

function ipv6(bytes: Buffer, at: number): string {
  return ipaddr.fromByteArray([...bytes.subarray(at, at + 16)]).toString();
}
