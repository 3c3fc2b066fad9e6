import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { InvalidArgumentError } from 'commander';

/** What people write for a pair, as values. Each throws commander's error, which names the option. */

export type Family = 4 | 6;

/** A virtual address with the length of its network's prefix. */
export interface VirtualAddress {
  readonly address: string;
  readonly prefix: number;
  readonly family: Family;
}

const VIP_SAMPLES = 'as in 10.0.0.100/24 or 2001:db8::100/64';
/** Steps of VRRP version 3 (RFC 5798 section 5.2.7): 12 bits of hundredths of a second. */
const STEP_MS = 10;
const LONGEST_ADVERT_MS = 40_950;

export function familyOf(address: string): Family {
  return isIPv4(address) ? 4 : 6;
}

/** The address of a host: literal, in its usual spelling, one that a single host can have. */
export function hostAddress(text: string): string {
  if (text.includes('/')) throw new InvalidArgumentError(`Write it without a prefix: ${text.replace(/\/.*$/, '')}.`);
  if (/^.*%/.test(text)) throw new InvalidArgumentError('Write it without %: --interface names the interface.');
  if (!isIPv4(text) && !isIPv6(text)) {
    throw new InvalidArgumentError('Write a literal address, as in 10.0.0.2 or 2001:db8::2; names are not looked up.');
  }
  const usual = usualSpelling(text);
  const wrong = notOfAHost(usual);
  if (wrong === null) return usual;
  throw new InvalidArgumentError(`It is ${wrong}. Write the address of one host, as in 10.0.0.2 or 2001:db8::2.`);
}

/** `10.0.0.100/24`. */
export function virtualAddress(text: string): VirtualAddress {
  const [, bare, length] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  if (bare === undefined) {
    throw new InvalidArgumentError(`Write the address with the prefix of its network, ${VIP_SAMPLES}.`);
  }
  const address = hostAddress(bare);
  const family = familyOf(address);
  const bits = family === 4 ? 32 : 128;
  const prefix = Number(length);
  if (prefix < 1 || prefix > bits) throw new InvalidArgumentError(`The prefix is a number from 1 to ${bits}.`);
  if (family === 4 && isEndOfNetwork(address, prefix)) {
    throw new InvalidArgumentError(`It is the first or the last address of its network, which no host has.`);
  }
  return { address, prefix, family };
}

/** `eth0`. Linux allows more, keepalived does not. */
export function interfaceName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text)) return text;
  if (/^[A-Za-z0-9._-]+:/.test(text)) {
    throw new InvalidArgumentError(`It is the label of an address. Write the interface: ${text.replace(/:.*$/, '')}.`);
  }
  throw new InvalidArgumentError(
    'Write the name of an interface, as in eth0: at most 15 letters, digits, dots, _ and -.',
  );
}

/** `200ms`, `0.2s`, `1s`: in milliseconds. */
export function advertInterval(text: string): number {
  const [, number, unit] = /^(\d{1,5}(?:\.\d{1,3})?)(ms|s)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Write a time with its unit, as in 200ms or 1s.');
  const ms = Math.round(Number(number) * (unit === 's' ? 1_000_000 : 1_000)) / 1_000;
  if (ms < STEP_MS || ms > LONGEST_ADVERT_MS) {
    throw new InvalidArgumentError('Write 10ms to 40.95s: VRRP has 12 bits of hundredths of a second for it.');
  }
  if (ms % STEP_MS === 0) return ms;
  const near = Math.max(STEP_MS, Math.round(ms / STEP_MS) * STEP_MS);
  throw new InvalidArgumentError(`VRRP counts in steps of 10ms. Write ${near}ms.`);
}

/** A file's path that keepalived reads as it is written: it has quotes, comments and variables of its own. */
export function plainPath(text: string): string {
  if (/^(?:\/[A-Za-z0-9._+-]+)+$/.test(text)) return text;
  throw new InvalidArgumentError(
    'Write an absolute path of letters, digits, dots, _, + and -, as in /run/limpet/track: keepalived gives meaning to others.',
  );
}

/** The name of the instance, which keepalived's log and the FIFO say. */
export function instanceName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('Write 1 to 32 letters, digits, dots, _ and -, beginning with a letter or a digit.');
}

function usualSpelling(address: string): string {
  return isIPv4(address) ? address : new SocketAddress({ address, family: 'ipv6' }).address;
}

/** What an address is, if no single host has it; else null. */
function notOfAHost(address: string): string | null {
  if (isIPv4(address)) {
    const first = Number(address.split('.')[0]);
    if (first === 0) return 'no address';
    if (first === 127) return 'the loopback of every host';
    if (first >= 224) return first < 240 ? 'a multicast group' : 'reserved';
    return null;
  }
  if (address === '::') return 'no address';
  if (address === '::1') return 'the loopback of every host';
  if (address.startsWith('ff')) return 'a multicast group';
  return address.startsWith('::ffff:') ? 'an IPv4 address in the spelling of IPv6' : null;
}

/** The network's own address, or its broadcast. Networks of one or two addresses (RFC 3021) have neither. */
function isEndOfNetwork(address: string, prefix: number): boolean {
  if (prefix > 30) return false;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix);
  const place = number % size;
  return place === 0 || place === size - 1;
}
