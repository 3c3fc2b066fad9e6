import { isIPv6, SocketAddress } from 'node:net';
import type { SessionFacts, SessionFilter } from './session_facts.ts';

/** Makes a filter into a test. All that is given must hold; an empty filter means everybody. */
export function compileFilter(filter: SessionFilter): (session: SessionFacts) => boolean {
  const { source, ...plain } = filter;
  const wanted = Object.entries(plain).filter(([, value]) => value !== undefined) as [keyof typeof plain, unknown][];
  const address = source === undefined ? null : canonical(source);
  return session =>
    wanted.every(([field, value]) => session[field] === value) &&
    (address === null || addressOf(session.client) === address);
}

/** `192.0.2.7:50123`, `[2001:db8::7]:50123`. */
function addressOf(client: string): string {
  const host = client.slice(0, client.lastIndexOf(':'));
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** IPv6 has many spellings; sessions have the kernel's. */
function canonical(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
