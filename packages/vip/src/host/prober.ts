import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** So many neighbours are asked at once, the gateways first. */
const mostNeighbours = 4;
/** In /proc/net/arp: the entry has a hardware address. */
const complete = 0x2;
/** In /proc/net/route: it has a gateway. */
const viaGateway = 0x2;

/**
 * Asks neighbours that the kernel knows, by ARP, whether they are there. Nobody waits for the answers: they count as what
 * the interface has received.
 */
export class Prober {
  readonly #device: string;
  #isAsking = false;

  constructor(device: string) {
    this.#device = device;
  }

  probe(): void {
    if (this.#isAsking) return;
    const neighbours = neighboursIn(this.#device, read('/proc/net/route'), read('/proc/net/arp'));
    if (neighbours.length === 0) return;
    this.#isAsking = true;
    const ends = neighbours.map(
      address =>
        new Promise<void>(resolve => {
          const args = ['-q', '-c', '1', '-w', '1', '-I', this.#device, address];
          execFile('arping', args, { timeout: 200, killSignal: 'SIGKILL' }, () => resolve());
        }),
    );
    void Promise.all(ends).then(() => {
      this.#isAsking = false;
    });
  }
}

/** Gateways by this interface, then whoever was resolved on it, from the two tables of the kernel. Pure. */
export function neighboursIn(device: string, routes: string, arp: string): readonly string[] {
  const gateways = rows(routes).flatMap(([name, , gateway = '', flags = '']) =>
    name === device && (Number.parseInt(flags, 16) & viaGateway) !== 0 ? [fromHex(gateway)] : [],
  );
  const known = rows(arp).flatMap(([address = '', , flags = '', , , name]) =>
    name === device && (Number.parseInt(flags, 16) & complete) !== 0 ? [address] : [],
  );
  return [...new Set([...gateways, ...known])].slice(0, mostNeighbours);
}

function rows(table: string): readonly string[][] {
  const [, ...lines] = table.trim().split('\n');
  return lines.map(line => line.trim().split(/\s+/));
}

/** `0100090A` is 10.9.0.1: little endian, as the kernel of every machine that Node runs on writes it. */
function fromHex(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return bytes
    .toReversed()
    .map(byte => Number.parseInt(byte, 16))
    .join('.');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
