import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A subscriber's share of IPv6 (RFC 6177): whoever has one address of it has all of them. */
const PARTS_OF_64 = 4;

/**
 * What a source address is counted as: an IPv4 address (IPv4-mapped ones too) as itself, an IPv6 address as its network
 * of 64 bits, `2001:db8:1:2::/64`. What is no IP address is itself.
 */
export function sourceKey(address: string): string {
  if (!address.includes(':') || isIP(address) === 0) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${new ipaddr.IPv6([...parsed.parts.slice(0, PARTS_OF_64), 0, 0, 0, 0])}/64`;
}
