import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Address } from '../stages.ts';
import { NO_FACTS, type ProxyHeader } from './proxy_header.ts';

/** Section 2.1: the longest line, with its CRLF. */
export const MAX_V1_BYTES = 107;
/** Section 2.1: no leading zeros. */
const PORT = /^(?:0|[1-9]\d{0,4})$/;
const UNKNOWN: ProxyHeader = { version: 1, link: null, facts: NO_FACTS };

/**
 * Decodes a line of version 1 ("The PROXY protocol", section 2.1) without its CRLF. Null: it does not match the
 * protocol exactly. IPv4-mapped addresses become IPv4.
 */
export function decodeV1(line: string): ProxyHeader | null {
  // "The receiver must ignore anything presented before the CRLF."
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return UNKNOWN;
  const [word, protocol = '', from = '', to = '', fromPort = '', toPort = '', ...more] = line.split(' ');
  if (word !== 'PROXY' || more.length > 0) return null;
  const source = endOf(protocol, from, fromPort);
  const destination = endOf(protocol, to, toPort);
  if (source === null || destination === null) return null;
  return { version: 1, link: { source, destination }, facts: NO_FACTS };
}

function endOf(protocol: string, address: string, written: string): Address | null {
  const isOfFamily = protocol === 'TCP4' ? isIPv4(address) : protocol === 'TCP6' && isPlainIPv6(address);
  const port = PORT.test(written) ? Number(written) : Number.NaN;
  if (!isOfFamily || !(port <= 65_535)) return null;
  return { address: ipaddr.process(address).toString(), port };
}

/** Without a zone: that is a name of the sender's own interfaces. */
function isPlainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%');
}
