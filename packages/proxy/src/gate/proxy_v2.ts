import ipaddr from 'ipaddr.js';
import type { Address } from '../stages.ts';
import { NO_FACTS, type ProxyHeader, type ProxyLink } from './proxy_header.ts';
import { readTlvs } from './proxy_tlvs.ts';

/** "The PROXY protocol", section 2.2. */
export const SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** `struct proxy_hdr_v2`. */
export const V2_HEAD_BYTES = 16;
/** What may follow the head. The specification allows 64 KiB; HAProxy takes what fits its buffer of 16 KiB. */
const MAX_V2_BLOCK_BYTES = 16 * 1024;

const LOCAL = 0x20;
const PROXY = 0x21;
const AF_UNSPEC = 0;
const AF_INET = 1;
const AF_INET6 = 2;
const AF_UNIX = 3;
const STREAM = 1;
const DGRAM = 2;
/** Two addresses, and for IP two ports. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { [AF_INET]: 12, [AF_INET6]: 36, [AF_UNIX]: 216 };

export type V2Reading =
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  | { readonly kind: 'bad'; readonly detail: string };

/** How long the block behind a head is, or what is wrong with the head. */
export function checkV2Head(head: Buffer): { readonly kind: 'block'; readonly bytes: number } | BadHead {
  const command = head.readUInt8(12);
  if (command !== LOCAL && command !== PROXY) return { kind: 'bad', detail: 'unknown version or command' };
  const bytes = head.readUInt16BE(14);
  if (bytes > MAX_V2_BLOCK_BYTES) return { kind: 'bad', detail: `longer than ${MAX_V2_BLOCK_BYTES} bytes` };
  return { kind: 'block', bytes };
}
type BadHead = Extract<V2Reading, { kind: 'bad' }>;

/**
 * Decodes a whole header of version 2 whose head has been checked. LOCAL: the block is passed over (section 2.2), and so
 * it is for AF_UNSPEC, where nothing says how long its addresses are. UNIX sockets and datagrams: the addresses are
 * passed over, the TLVs are read.
 */
export function decodeV2(bytes: Buffer): V2Reading {
  const family = bytes.readUInt8(13) >> 4;
  const transport = bytes.readUInt8(13) & 0x0f;
  if (bytes.readUInt8(12) === LOCAL) return { kind: 'header', header: { version: 2, link: null, facts: NO_FACTS } };
  if (family > AF_UNIX || transport > DGRAM) return { kind: 'bad', detail: 'unknown family or transport' };
  if (family === AF_UNSPEC) return { kind: 'header', header: { version: 2, link: null, facts: NO_FACTS } };
  const addressEnd = V2_HEAD_BYTES + (ADDRESS_BYTES[family] ?? 0);
  if (bytes.length < addressEnd) return { kind: 'bad', detail: 'shorter than its addresses' };
  const tlvs = readTlvs(bytes, addressEnd);
  if (tlvs.kind === 'bad') return tlvs;
  const isTcp = transport === STREAM && family !== AF_UNIX;
  const link = isTcp ? linkOf(bytes.subarray(V2_HEAD_BYTES, addressEnd)) : null;
  return { kind: 'header', header: { version: 2, link, facts: tlvs.facts } };
}

/** `union proxy_addr`: source, destination, their ports. */
function linkOf(block: Buffer): ProxyLink {
  const portsAt = block.length - 4;
  const end = (from: number, to: number, portAt: number): Address => ({
    address: ipaddr.process(ipaddr.fromByteArray([...block.subarray(from, to)]).toString()).toString(),
    port: block.readUInt16BE(portAt),
  });
  return { source: end(0, portsAt / 2, portsAt), destination: end(portsAt / 2, portsAt, portsAt + 2) };
}
