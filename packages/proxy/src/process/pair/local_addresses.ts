import { networkInterfaces } from 'node:os';

/** Whether one of these addresses is on this host now. */
export function hasLocal(addresses: readonly string[]): boolean {
  const here = Object.values(networkInterfaces()).flatMap(own => (own ?? []).map(({ address }) => address));
  return addresses.some(address => here.includes(address));
}
