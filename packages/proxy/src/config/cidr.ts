import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Reading } from './units.ts';

const REMEDY = 'Write an address or a network: 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.';
const MAPPED_BITS = 96;

function fail(message: string): Reading<never> {
  return { ok: false, message, remedy: REMEDY };
}

/** IPv4-mapped addresses are IPv4 everywhere in the program, so their networks are too. */
function withoutMapping(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): readonly [string, number] {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= MAPPED_BITS) {
    return [address.toIPv4Address().toString(), bits - MAPPED_BITS];
  }
  return [address.toString(), bits];
}

function networkOf(address: string, bits: number): string {
  const family = isIPv4(address) ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${family.networkAddressFromCIDR(`${address}/${bits}`)}/${bits}`;
}

/**
 * An address or a network as a CIDR without host bits: `10.0.0.7` is `10.0.0.7/32`, `10.1.2.3/8` is `10.0.0.0/8`, and
 * `::ffff:10.0.0.7` is `10.0.0.7/32`.
 */
export function readCidr(input: string | number | boolean): Reading<string> {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(String(input).trim()) ?? [];
  if (!isIPv4(address) && !isIPv6(address)) return fail('{value} is neither an address nor a network');
  const most = isIPv4(address) ? 32 : 128;
  const bits = length === undefined ? most : Number(length);
  if (bits > most) return fail(`{value} has a length of more than ${most} bits`);
  return { ok: true, value: networkOf(...withoutMapping(ipaddr.parse(address), bits)) };
}
