import { networkInterfaces } from 'node:os';

/** The addresses of this host now, of all interfaces. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(own => (own ?? []).map(({ address }) => address));
}

/** Whether one of these addresses is on this host now. */
export function hasLocal(addresses: readonly string[]): boolean {
  const here = localAddresses();
  return addresses.some(address => here.includes(address));
}
