import { isIP } from 'node:net';

/** An address and a port for heartbeats. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** `10.0.0.1:7946`, `[fd00::1]:7946`: the name of this host in the pair. */
  readonly text: string;
}

const shape = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

/** Null: it is not a literal address with a port. */
export function readEndpoint(written: string): Endpoint | null {
  const [, six, four, digits] = shape.exec(written) ?? [];
  const port = Number(digits);
  if (four !== undefined && isIP(four) === 4 && isPort(port)) return { host: four, port, family: 4, text: written };
  const host = six === undefined ? null : readIPv6(six);
  return host !== null && isPort(port) ? { host, port, family: 6, text: `[${host}]:${port}` } : null;
}

/** In the one spelling that the kernel uses too. */
export function readIPv6(text: string): string | null {
  if (isIP(text) !== 6 || text.includes('%')) return null;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function isPort(port: number): boolean {
  return port > 0 && port < 65_536;
}
