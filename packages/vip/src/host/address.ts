import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import type { Readable, Writable } from 'node:stream';

/** An address that moves, with the length of its prefix. */
export interface VirtualAddress {
  readonly address: string;
  readonly prefix: number;
  readonly family: 4 | 6;
}

type Ip = ChildProcessByStdio<Writable, Readable, Readable>;

/** Told whether `ip` has come so far; else it has ended. */
type Done = (isDone: boolean) => void;

/** What `ip` answers to this line comes after all that was said before it. */
const marker = 'link show dev lo\n';
const answerOfMarker = /^\d+: lo[:@]/gm;
/** It takes a millisecond. One that takes longer hangs: it is killed, and another one is tried. */
const deadlineMs = 300;
const tries = 2;

/**
 * Sets and removes the addresses through one `ip -batch -` that is kept running, so that a change costs no start of a
 * program. Whoever made it closes it.
 */
export class AddressBook {
  readonly #addresses: readonly VirtualAddress[];
  readonly #device: string;
  #ip: Ip | null = null;
  #waiting: Done[] = [];
  #isClosed = false;

  constructor(addresses: readonly VirtualAddress[], device: string) {
    this.#addresses = addresses;
    this.#device = device;
    this.#ip = this.#start();
  }

  /** All of them; resolves with whether they are on the interface. */
  async add(): Promise<boolean> {
    await this.#run(
      // A source address of our own connections it must never be: `preferred_lft 0` says so for IPv6.
      this.#addresses.map(({ address, prefix, family }) => {
        const six = family === 6 ? ' nodad preferred_lft 0' : '';
        return `address replace ${address}/${prefix} dev ${this.#device}${six}\n`;
      }),
    );
    return this.isHeld();
  }

  /** All of them; one that is not there is no error. Resolves with whether they are gone. */
  async remove(): Promise<boolean> {
    const lines = this.#addresses.map(one => `address del ${one.address}/${one.prefix} dev ${this.#device}\n`);
    const isDone = await this.#run(lines);
    // An interface that is down is not listed: then what `ip` has done must do.
    return this.held().length === 0 && (isDone || networkInterfaces()[this.#device] !== undefined);
  }

  /** Those that are on the interface now, where that is up. */
  held(): readonly VirtualAddress[] {
    const here = new Set((networkInterfaces()[this.#device] ?? []).map(({ address }) => address));
    return this.#addresses.filter(({ address }) => here.has(address));
  }

  /** All of them are there. It costs some 50 µs, more on a host with many addresses. */
  isHeld(): boolean {
    return this.held().length === this.#addresses.length;
  }

  close(): void {
    this.#isClosed = true;
    this.#ip?.stdin.end();
    for (const done of this.#waiting.splice(0)) done(false);
  }

  /** Whether `ip` has come to the end of them; not whether it was allowed to. */
  async #run(lines: readonly string[]): Promise<boolean> {
    for (let left = tries; left > 0 && !this.#isClosed; left--) if (await this.#tell(lines)) return true;
    return false;
  }

  #tell(lines: readonly string[]): Promise<boolean> {
    this.#ip ??= this.#start();
    const ip = this.#ip;
    return new Promise(resolve => {
      const timer = setTimeout(() => ip.kill('SIGKILL'), deadlineMs);
      this.#waiting.push(isDone => {
        clearTimeout(timer);
        resolve(isDone);
      });
      ip.stdin.write(lines.join('') + marker);
    });
  }

  #start(): Ip {
    const ip = spawn('ip', ['-force', '-batch', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = (): void => {
      if (this.#ip === ip) this.#ip = null;
      for (const done of this.#waiting.splice(0)) done(false);
    };
    ip.once('error', ended);
    ip.once('exit', ended);
    ip.stdin.on('error', () => undefined);
    ip.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const _ of text.matchAll(answerOfMarker)) this.#waiting.shift()?.(true);
    });
    // What it says of an address that is there, or gone, already.
    ip.stderr.resume();
    return ip;
  }
}
