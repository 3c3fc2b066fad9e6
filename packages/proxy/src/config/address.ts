import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { hasWordsBehind } from './haproxy.ts';
import type { Reading } from './units.ts';

export interface HostAndPort {
  /** Host name or literal address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** As it is written: null is a port that was left out. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number | null;
}

const BIND_REMEDY = 'Write an address and a port: *:1883, 127.0.0.1:1883 or [::1]:1883.';
const BIND_WORDS = 'Write them as keys of their own: { address: "*:8883", tls: { cert: server.pem } }.';
const SERVER_WORDS = 'Write them as keys of their own: { address: 10.0.0.1:1883, check: { inter: 10s }, weight: 5 }.';
const SERVER_REMEDY = 'Write a host and a port: 10.0.0.1:1883, broker1.example.com:1883 or [2001:db8::1]:1883.';
/** RFC 1123 section 2.1, and the underscore that Docker's names have. */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

function fail(message: string, remedy: string): Reading<never> {
  return { ok: false, message, remedy };
}

export function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  // All digits and dots, but no IPv4 address: a slip of the hand such as 10.0.0.300.
  return host.length <= 253 && labels.every(label => LABEL.test(label)) && !labels.every(label => /^\d+$/.test(label));
}

/** Splits at the port's colon. Brackets are taken off; a null port was left out. */
function split(text: string): { host: string; port: string | null; bracketed: boolean } | null {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: bracketed[2] ?? null, bracketed: true };
  // HAProxy's `:::1883` is `::` and a port; any other IPv6 address wants brackets, or its end could be a port.
  const all = /^::(?::(.*))?$/s.exec(text);
  if (all !== null) return { host: '::', port: all[1] ?? null, bracketed: true };
  const parts = text.split(':');
  if (parts.length > 2) return null;
  return { host: parts[0] ?? '', port: parts[1] ?? null, bracketed: false };
}

function readPort(text: string, least: number): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port >= least && port <= 65_535 ? port : null;
}

function read(text: string, least: number, remedy: string): Reading<ServerAddress> {
  const parts = split(text.trim());
  if (parts === null) return fail('{value} has more than one colon', `${remedy} An IPv6 address wants brackets.`);
  const { host, bracketed } = parts;
  if (bracketed ? !isIPv6(host) : isIP(host) !== 4 && !isHostName(host)) {
    return fail('{value} is neither a host name nor an address', remedy);
  }
  const port = parts.port === null ? null : readPort(parts.port, least);
  if (port !== null || parts.port === null) return { ok: true, value: { host, port } };
  return fail('{value} has a port that does not exist', `Ports are whole numbers from ${least} to 65535. ${remedy}`);
}

/**
 * An address to listen on. `*:1883` and `:1883` are all IPv4 addresses (HAProxy, configuration.txt 4.2, bind);
 * `[::]:1883` and `:::1883` all of both families. Port 0 is any free port.
 */
export function readBind(input: string | number | boolean): Reading<HostAndPort> {
  const text = String(input);
  if (/^unix@|^\//.test(text)) return fail('{value} is a path, and a bind listens on TCP', BIND_REMEDY);
  if (hasWordsBehind(text)) return fail('{value} has words behind the address', BIND_WORDS);
  if (/^\d{1,5}$/.test(text))
    return fail('{value} is a port without an address', `Write "*:${text}" for all IPv4 addresses.`);
  const parsed = read(text.replace(/^\s*\*?:(?!:)/, '0.0.0.0:'), 0, BIND_REMEDY);
  if (!parsed.ok) return parsed;
  const { host, port } = parsed.value;
  return port === null ? fail('{value} has no port', BIND_REMEDY) : { ok: true, value: { host, port } };
}

/** A server's address, whose port may be left out. */
export function readServer(input: string | number | boolean): Reading<ServerAddress> {
  if (hasWordsBehind(String(input))) return fail('{value} has words behind the address', SERVER_WORDS);
  const parsed = read(String(input), 1, SERVER_REMEDY);
  if (parsed.ok && /^(?:0\.0\.0\.0|::)$/.test(parsed.value.host)) {
    return fail('{value} is no address of a broker, but all addresses of a host', SERVER_REMEDY);
  }
  return parsed;
}

function normal(host: string): string {
  if (!isIPv4(host) && !isIPv6(host)) return host.toLowerCase().replace(/\.$/, '');
  return ipaddr.process(host.replace(/%.*$/, '')).toNormalizedString() + (/%.*$/.exec(host)?.[0] ?? '');
}

/** Whether both cannot be listened on at once. Port 0 is a new port each time. `[::]` takes IPv4's port too. */
export function clashes(a: HostAndPort, b: HostAndPort): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const hosts = [normal(a.host), normal(b.host)];
  if (hosts[0] === hosts[1] || hosts.includes(normal('::'))) return true;
  return hosts.includes('0.0.0.0') && hosts.some(host => host !== '0.0.0.0' && !isIPv6(host));
}

/** Whether only this host reaches an address, as far as one can tell without asking the machine. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  return isIP(host) !== 0 && ipaddr.process(host.replace(/%.*$/, '')).range() === 'loopback';
}

/** Whether a connection to a server arrives at a bind, as far as one can tell without asking the machine. */
export function leadsTo(server: HostAndPort, bind: HostAndPort): boolean {
  if (server.port !== bind.port) return false;
  const host = server.host.toLowerCase() === 'localhost' ? '127.0.0.1' : normal(server.host);
  const here = bind.host.toLowerCase() === 'localhost' ? '127.0.0.1' : normal(bind.host);
  if (host === here) return true;
  if (here === normal('::')) return host === normal('::1') || /^127\./.test(host);
  return here === '0.0.0.0' && /^127\./.test(host);
}
