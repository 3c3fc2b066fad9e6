import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** The host of a Host header, in lower case, without port and brackets; null: there is none in it. */
export function hostOf(header: string): string | null {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@\\]+))(?::\d{1,5})?$/.exec(header) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6)) return null;
  return host.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether this is asked under a name of ours. Somebody's web page may let its own name lead to this address (DNS
 * rebinding); then the browser believes that it asks that page's own site, and says its name here.
 * Without a Host header (HTTP/1.0) it is no browser.
 */
export function isOurHost(header: string | undefined, hosts: readonly string[]): boolean {
  if (header === undefined) return true;
  const host = hostOf(header);
  if (host === null) return false;
  return host === 'localhost' || isIP(host) !== 0 || hosts.some(name => name.toLowerCase() === host);
}

const TYPES: readonly string[] = ['application/json', 'application/x-ndjson', 'text/csv'];

/**
 * Why a request that changes something may not be what the operator wants; null: it may be. What it must have no form and no
 * page of another site can send without being allowed to (CORS), and we allow nobody.
 */
export function strangeness(headers: IncomingHttpHeaders): string | null {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!TYPES.includes(type)) return 'it has no Content-Type: application/json';
  if (headers['x-limpet-request'] !== '1') return 'it has no X-Limpet-Request: 1';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'a page of another site has sent it';
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host)) return 'its Origin is another site';
  return null;
}

/** The scheme does not count: a proxy in front may end TLS. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const [, scheme, authority] = /^(https?):\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? [];
  if (authority === undefined || host === undefined) return false;
  const plain = (text: string): string => text.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '');
  return plain(authority) === plain(host);
}
