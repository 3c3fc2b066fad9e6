import ipaddr from 'ipaddr.js';
import type { SendProxyConfig } from '../config/resolved.ts';
import type { Address, TlsFacts } from '../stages.ts';
import { sslTlv, tlv } from './ssl_tlv.ts';

/** Whom a connection to a server is made for: a client, or the proxy itself (a health check). */
export type ProxiedLink =
  | { readonly source: Address; readonly destination: Address; readonly tls: TlsFacts | null }
  | 'local';

/** PROXY protocol, section 2.2: the signature of version 2. */
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 2 with the command LOCAL or PROXY. */
const LOCAL = 0x20;
const PROXY = 0x21;
/** AF_UNSPEC, and STREAM over AF_INET and AF_INET6. */
const UNSPEC = 0x00;
const TCP4 = 0x11;
const TCP6 = 0x21;
const PP2_TYPE_UNIQUE_ID = 0x05;
/** Section 2.2.5: at most 128 bytes of a unique id. */
const MAX_UNIQUE_ID_BYTES = 128;

/**
 * The PROXY protocol header that stands before the first byte to a server ("The PROXY protocol", haproxy.org, versions
 * 1 and 2). IPv4-mapped addresses are written as IPv4; where only one side is IPv4, both are written as IPv6. A check
 * says LOCAL, in version 1 UNKNOWN, as HAProxy does; so does a link whose addresses are not IP.
 * TLVs stand in HAProxy's order, the unique id before those of TLS.
 * @param uniqueId sent with version 2 where `tlvs` lists `unique_id`; opaque, its first 128 bytes
 */
export function encodeProxyHeader(config: SendProxyConfig, link: ProxiedLink, uniqueId: string): Buffer {
  const pair = link === 'local' ? null : addressPair(link.source, link.destination);
  if (config.version === 1) return Buffer.from(pair === null ? 'PROXY UNKNOWN\r\n' : line(pair), 'latin1');
  // Section 2.2: a receiver takes the connection's own addresses for LOCAL; it needs neither addresses nor TLVs.
  if (link === 'local' || pair === null) return frame(LOCAL, UNSPEC, []);
  const tlvs = tlvsOf(config, link.tls, uniqueId);
  return frame(PROXY, pair.family === 4 ? TCP4 : TCP6, [...addressBlock(pair), ...tlvs]);
}

function tlvsOf({ tlvs }: SendProxyConfig, tls: TlsFacts | null, uniqueId: string): Buffer[] {
  const withCn = tlvs.includes('cn');
  return [
    ...(tlvs.includes('unique_id') ? [uniqueIdTlv(uniqueId)] : []),
    // The common name stands inside the TLV of TLS, so asking for the one is asking for the other, as in HAProxy.
    ...(withCn || tlvs.includes('ssl') ? [sslTlv(tls, withCn)] : []),
  ];
}

/** Two addresses of one family, in network order, with their ports. */
interface AddressPair {
  readonly family: 4 | 6;
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function addressPair(source: Address, destination: Address): AddressPair | null {
  if (!ipaddr.isValid(source.address) || !ipaddr.isValid(destination.address)) return null;
  // process() turns IPv4-mapped addresses into IPv4.
  const from = ipaddr.process(source.address);
  const to = ipaddr.process(destination.address);
  const family = from.kind() === 'ipv4' && to.kind() === 'ipv4' ? 4 : 6;
  return {
    family,
    source: bytesOf(from, family),
    destination: bytesOf(to, family),
    sourcePort: source.port,
    destinationPort: destination.port,
  };
}

function bytesOf(address: ipaddr.IPv4 | ipaddr.IPv6, family: 4 | 6): Buffer {
  const isShort = family === 6 && address instanceof ipaddr.IPv4;
  return Buffer.from((isShort ? address.toIPv4MappedAddress() : address).toByteArray());
}

/** Section 2.1. Addresses are made of the bytes again: no zone, no leading zeros. */
function line({ family, source, destination, sourcePort, destinationPort }: AddressPair): string {
  return `PROXY TCP${family} ${text(source)} ${text(destination)} ${sourcePort} ${destinationPort}\r\n`;
}

function text(address: Buffer): string {
  return ipaddr.fromByteArray([...address]).toString();
}

/** Section 2.2: `struct proxy_hdr_v2`, the length in network order. */
function frame(command: number, family: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, length >> 8, length & 0xff]), ...parts]);
}

/** Section 2.2: `union proxy_addr`. */
function addressBlock({ source, destination, sourcePort, destinationPort }: AddressPair): Buffer[] {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return [source, destination, ports];
}

function uniqueIdTlv(uniqueId: string): Buffer {
  return tlv(PP2_TYPE_UNIQUE_ID, Buffer.from(uniqueId).subarray(0, MAX_UNIQUE_ID_BYTES));
}
