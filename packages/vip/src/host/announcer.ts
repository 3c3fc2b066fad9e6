import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { VirtualAddress } from './address.ts';

/** A sender of one announcement that waits for a line on its input: no program has to be forked when it matters. */
interface Armed {
  readonly child: ChildProcess;
}

/** Again after so many milliseconds: switches and neighbours may miss the first ones. */
const againMs: readonly number[] = [50, 200, 1_000, 5_000];
/** To start a program takes a moment, which the first heartbeats of a new holder must not wait for. */
const rearmMs = 20;
/** `$0` is the interface and `$1` the address; nothing of it is read as shell. */
const ARP = [
  // Debian has two programs of this name. The other one (package arping) must be told the source address.
  'case $(arping -V 2>/dev/null) in *iputils*) set -- "$1" ;; *) set -- -S "$1" "$1" ;; esac',
  'read -r go && exec arping -q -U -c 1 -w 1 -I "$0" "$@"',
].join('\n');
const NEIGHBOUR = 'read -r go && exec na6 -i "$0" -s "$1" -d ff02::1 -t "$1" -E "$2" -o';

/**
 * Tells the neighbours where the addresses are: gratuitous ARP with arping, unsolicited neighbour advertisements
 * with na6 (ipv6toolkit). The first ones go out within some milliseconds, others follow for five seconds.
 */
export class Announcer {
  readonly #addresses: readonly VirtualAddress[];
  readonly #device: string;
  #armed: Armed[] = [];
  #timers: NodeJS.Timeout[] = [];

  constructor(addresses: readonly VirtualAddress[], device: string) {
    this.#addresses = addresses;
    this.#device = device;
    this.#arm();
  }

  announce(): void {
    this.quiet();
    this.#timers = againMs.map(delayMs => setTimeout(() => this.#fire(), delayMs));
    this.#fire();
  }

  /** No more of them: the addresses are no longer here. */
  quiet(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  close(): void {
    this.quiet();
    for (const { child } of this.#armed) child.stdin?.end();
    this.#armed = [];
  }

  #fire(): void {
    const armed = this.#armed;
    for (const { child } of armed) child.stdin?.end('go\n');
    this.#armed = [];
    this.#timers.push(setTimeout(() => this.#arm(), rearmMs));
  }

  #arm(): void {
    this.#armed = this.#addresses.map(({ address, family }) => {
      const args = family === 4 ? [ARP, this.#device, address] : [NEIGHBOUR, this.#device, address, this.#hardware()];
      const child = spawn('sh', ['-c', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
      child.on('error', () => undefined);
      child.stdin?.on('error', () => undefined);
      return { child };
    });
  }

  #hardware(): string {
    try {
      return readFileSync(`/sys/class/net/${this.#device}/address`, 'latin1').trim();
    } catch {
      return '';
    }
  }
}

/** Which programs are missing on this host, with what they are for. */
export async function missingAnnouncers(addresses: readonly VirtualAddress[]): Promise<readonly string[]> {
  const wanted = [
    ...(addresses.some(({ family }) => family === 4) ? ['arping (package iputils-arping): gratuitous ARP'] : []),
    ...(addresses.some(({ family }) => family === 6) ? ['na6 (package ipv6toolkit): neighbour advertisements'] : []),
  ];
  const found = await Promise.all(wanted.map(text => isCommand(text.split(' ', 1)[0] ?? '')));
  return wanted.filter((_, i) => !found[i]);
}

function isCommand(name: string): Promise<boolean> {
  return new Promise(resolve => {
    execFile('sh', ['-c', 'command -v -- "$0"', name], error => resolve(error === null));
  });
}
