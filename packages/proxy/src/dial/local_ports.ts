import { readFileSync } from 'node:fs';

/** From the first to the last, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What Linux has where nobody has changed it. */
const STANDARD: PortRange = { first: 32_768, last: 60_999 };
const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
const RESERVED = '/proc/sys/net/ipv4/ip_local_reserved_ports';

/**
 * The kernel gives a port that somebody has chosen to nobody who leaves the choice to it, whatever the addresses: without
 * some for itself this host could not reach Redis, DNS or a server without `source`, and checks would find none either.
 */
const MOST_LEFT = 1_024;
const SHARE_LEFT = 10;

/** What this host keeps for connections, as it is now: it is read when a process begins. Falls back to Linux's standard. */
export function readLocalPorts(): readonly number[] {
  return localPorts(textOf(RANGE), textOf(RESERVED));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * The ports that Limpet chooses from, ascending: the kernel's range without what an administrator has reserved, and without
 * its last tenth (1,024 at most), which is the kernel's own.
 * @param range the text of ip_local_port_range: `32768 60999`
 * @param reserved the text of ip_local_reserved_ports: `8080,9148-9150`
 */
export function localPorts(range: string, reserved: string): readonly number[] {
  const { first, last } = readRange(range.trim(), /\s+/) ?? STANDARD;
  const kept = reserved
    .trim()
    .split(',')
    .flatMap(part => readRange(part, '-') ?? []);
  const free: number[] = [];
  for (let port = first; port <= last; port += 1) {
    if (!kept.some(one => one.first <= port && port <= one.last)) free.push(port);
  }
  return free.slice(0, free.length - Math.min(MOST_LEFT, Math.ceil(free.length / SHARE_LEFT)));
}

/** `9148-9150`, or `8080` for one. */
function readRange(text: string, between: string | RegExp): PortRange | null {
  const [first = Number.NaN, last = first, ...more] = text.split(between).map(Number);
  const isRange = Number.isInteger(first) && Number.isInteger(last) && first >= 1 && first <= last && last <= 65_535;
  return isRange && text !== '' && more.length === 0 ? { first, last } : null;
}

/** What a worker takes first, so that two workers seldom want the same port for the same server; and the rest. */
export interface WorkersPorts {
  readonly own: readonly number[];
  readonly others: readonly number[];
}

/** `slot` is 0 to workers - 1; one that drains after their number became smaller shares the part of another. */
export function portsOfWorker(ports: readonly number[], slot: number, workers: number): WorkersPorts {
  const isOwn = (index: number): boolean => index % workers === slot % workers;
  return { own: ports.filter((_, index) => isOwn(index)), others: ports.filter((_, index) => !isOwn(index)) };
}
