import { count, counted } from '../../output/numbers.ts';
import { type Finding, findings, sysctl } from '../finding.ts';
import type { BrokerLoad, Load } from '../load.ts';

/** Both ends are part of it. */
type Range = readonly [first: number, last: number];

export interface Ports {
  /** `net.ipv4.ip_local_port_range`, both ends included; for IPv6 too. */
  readonly range: Range | null;
  /** `net.ipv4.ip_local_reserved_ports`: `1883,8080-8090`. */
  readonly reserved: string | null;
  /** `net.ipv4.tcp_tw_reuse`. */
  readonly reuse: number | null;
}

const { ok, note, warning, problem } = findings('ports to brokers');

/** Below are ports of services. docs/scaling.md says the same. */
const WIDE: Range = [10_240, 65_535];

/** Each connection to a broker has a port of this host, of its own for each broker and source address. */
export function judgePorts({ range, reserved, reuse }: Ports, load: Load): Finding[] {
  if (range === null) return [note('net.ipv4.ip_local_port_range cannot be read')];
  const taken = portsOf(reserved ?? '');
  const lack = load.brokers.length === 0 ? null : lackOf(load.brokers, freeIn(range, taken));
  if (lack === null) return [enough(range, taken, load), ...ownPorts(range, taken, load), ...reuseFindings(reuse)];
  const { broker, needed, isAlways, others } = lack;
  const when = isAlways ? 'global.maxconn needs' : 'global.maxconn needs, while a broker is down,';
  const too = others === 0 ? '' : `, and ${counted(others, 'other')} too`;
  const what = `${broker.name} can have ${counted(lack.room, 'connection')} from here (${rangeText(range)}), ${when} ${count(needed)}${too}`;
  const remedies = [...wider(range, taken, load.ports), ...moreSources(broker, needed, taken)];
  return [(isAlways ? problem : warning)(what, ...remedies), ...reuseFindings(reuse)];
}

function enough(range: Range, taken: readonly Range[], { brokers }: Load): Finding {
  const what = `${rangeText(range)} gives ${counted(freeIn(range, taken), 'connection')} to each broker and source address`;
  return brokers.length === 0
    ? note(`${what}; -c FILE tells how many there may be`)
    : ok(`${what}: enough for global.maxconn`);
}

interface Lack {
  readonly broker: BrokerLoad;
  readonly room: number;
  readonly needed: number;
  /** Not only while another broker is down. */
  readonly isAlways: boolean;
  /** Brokers with the same lack. */
  readonly others: number;
}

function lackOf(brokers: readonly BrokerLoad[], free: number): Lack | null {
  const room = (broker: BrokerLoad): number => free * Math.max(1, broker.sources);
  const short = brokers.filter(broker => broker.sessions > room(broker));
  const isAlways = short.length > 0;
  const lacking = isAlways ? short : brokers.filter(broker => broker.oneDown > room(broker));
  const [broker] = lacking;
  if (broker === undefined) return null;
  const needed = isAlways ? broker.sessions : broker.oneDown;
  return { broker, room: room(broker), needed, isAlways, others: lacking.length - 1 };
}

/** All ports that there are, but for those on which Limpet listens. */
function wider([first, last]: Range, taken: readonly Range[], ports: readonly number[]): string[] {
  const widen = first <= WIDE[0] && last >= WIDE[1] ? [] : [sysctl('net.ipv4.ip_local_port_range', WIDE.join(' '))];
  return [...widen, ...reserve(taken, openPorts(WIDE, taken, ports))];
}

function moreSources({ name, sources }: BrokerLoad, needed: number, taken: readonly Range[]): string[] {
  const most = freeIn(WIDE, taken);
  if (needed <= most * Math.max(1, sources)) return [];
  const server = name.split('/').at(-1) ?? name;
  const wanted = Math.ceil(needed / most);
  return [
    `give ${server} ${wanted} source addresses of this host: servers: { ${server}: { address: …, source: [10.0.0.11, …] } }`,
  ];
}

/** A connection to a broker that has the port of a bind keeps Limpet from listening there again. */
function ownPorts(range: Range, taken: readonly Range[], { ports }: Load): Finding[] {
  const open = openPorts(range, taken, ports);
  if (open.length === 0) return [];
  const what = `connections to brokers may take the ${open.length === 1 ? 'port' : 'ports'} ${open.join(', ')}, on which Limpet listens; then a start fails`;
  return [warning(what, ...reserve(taken, open))];
}

function openPorts([first, last]: Range, taken: readonly Range[], ports: readonly number[]): readonly number[] {
  const isTaken = (port: number): boolean => taken.some(([from, to]) => port >= from && port <= to);
  return ports.filter(port => port >= first && port <= last && !isTaken(port));
}

function reserve(taken: readonly Range[], more: readonly number[]): string[] {
  if (more.length === 0) return [];
  const all = [...taken.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)), ...more];
  return [sysctl('net.ipv4.ip_local_reserved_ports', all.join(','))];
}

function reuseFindings(reuse: number | null): Finding[] {
  if (reuse === null || reuse === 1) return [];
  const what = `net.ipv4.tcp_tw_reuse is ${reuse}: a port of an ended connection rests for a minute before it serves the same broker again`;
  return [note(what, sysctl('net.ipv4.tcp_tw_reuse', 1))];
}

function portsOf(text: string): readonly Range[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].map(([, from, to]) => [Number(from), Number(to ?? from)] as const);
}

function freeIn([first, last]: Range, taken: readonly Range[]): number {
  const inside = ([from, to]: Range): number => Math.max(0, Math.min(to, last) - Math.max(from, first) + 1);
  return Math.max(0, last - first + 1 - taken.reduce((sum, one) => sum + inside(one), 0));
}

function rangeText([first, last]: Range): string {
  return `port range ${first} to ${last}`;
}
