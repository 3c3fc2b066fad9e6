import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LimpetError } from '../errors.ts';

/** An address as a number of 32 or 128 bits. */
interface Bits {
  readonly value: bigint;
  readonly width: 32 | 128;
}

/** Networks of one width: for each length of prefix that occurs, the prefixes. */
type Buckets = Map<number, Set<bigint>>;

/**
 * A set of networks. A look-up costs one probe for each length of prefix that occurs in the set (at most 33 for IPv4),
 * however many networks there are. IPv4-mapped IPv6 addresses and networks are IPv4.
 */
export class CidrSet {
  readonly #buckets: Readonly<Record<Bits['width'], Buckets>> = { 32: new Map(), 128: new Map() };

  /**
   * @param cidrs networks (`10.0.0.0/8`) or single addresses; bits behind the prefix do not count
   * @throws LimpetError BAD_CIDR
   */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) this.#add(cidr);
  }

  /** Whether there is no network in it. */
  get isEmpty(): boolean {
    return this.#buckets[32].size === 0 && this.#buckets[128].size === 0;
  }

  /** Whether the address lies in one of the networks. What is no IP address lies in none; zones do not count. */
  has(address: string): boolean {
    // Most sets are empty, and to read an address costs more than all the rest of an accept.
    if (this.isEmpty) return false;
    const bits = bitsOf(address);
    if (bits === null) return false;
    for (const [length, prefixes] of this.#buckets[bits.width]) {
      if (prefixes.has(prefixOf(bits, length))) return true;
    }
    return false;
  }

  #add(cidr: string): void {
    const { bits, length } = parseCidr(cidr);
    const buckets = this.#buckets[bits.width];
    const prefixes = buckets.get(length) ?? new Set();
    buckets.set(length, prefixes.add(prefixOf(bits, length)));
  }
}

function prefixOf({ value, width }: Bits, length: number): bigint {
  return value >> BigInt(width - length);
}

/** ipaddr.js reads octal and hexadecimal IPv4 too, which Node and the specification do not. */
function bitsOf(address: string): Bits | null {
  if (isIP(address) === 0) return null;
  const bytes = ipaddr.process(address).toByteArray();
  return { value: BigInt(`0x${Buffer.from(bytes).toString('hex')}`), width: bytes.length === 4 ? 32 : 128 };
}

function parseCidr(cidr: string): { readonly bits: Bits; readonly length: number } {
  const [address = '', written, ...more] = cidr.split('/');
  const bits = bitsOf(address);
  if (bits === null || more.length > 0 || (written !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(written)))
    throw badCidr(cidr);
  if (written === undefined) return { bits, length: bits.width };
  // A mapped network is written with the 96 bits that all of them share.
  const mappedBits = bits.width === 32 && address.includes(':') ? 96 : 0;
  const length = Number(written) - mappedBits;
  if (length < 0 || length > bits.width) throw badCidr(cidr);
  return { bits, length };
}

function badCidr(cidr: string): LimpetError {
  return new LimpetError(
    'BAD_CIDR',
    `${JSON.stringify(cidr)} is no network`,
    'Write an address, or an address and the length of its prefix: 10.0.0.0/8, 2001:db8::/32.',
  );
}
