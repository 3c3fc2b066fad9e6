import { networkInterfaces } from 'node:os';
import type { Family } from './words.ts';

/**
 * The first address of the interface here of that family, none of `others`. Null: there is no such interface or address,
 * for example because the file is for another host.
 */
export function addressOn(interfaceName: string, family: Family, others: readonly string[]): string | null {
  const here = (networkInterfaces()[interfaceName] ?? []).filter(one => one.family === `IPv${family}`);
  const addresses = here.map(one => one.address).filter(address => !others.includes(address));
  // A link-local one of IPv6 only where there is no other: it needs the interface with it to be reached.
  return addresses.find(address => !/^fe[89ab]/.test(address)) ?? addresses[0] ?? null;
}
