/**
 * A Limpet as one of a pair, and what moves its virtual address: the part of keepalived, played by the test.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from './condition.ts';
import { type Directory, makeDirectory } from './directory.ts';
import { faceAddress } from './faces.ts';
import { type Limpet, type LimpetOptions, startLimpet } from './limpet.ts';
import { childrenOf } from './proc.ts';

/** An address that this host answers at, for all of 127.0.0.0/8 is here, and that none of its interfaces has. */
export const VIP = '127.0.77.1';
/** More often than the 2 s after which a proxy looks for itself whether the address is here. */
const REPEAT_MS = 500;

/** The folder of the pair's two files, and who writes and reads them. */
export class Mover implements AsyncDisposable {
  readonly #directory: Directory;
  #again: NodeJS.Timeout | null = null;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  get trackFile(): string {
    return this.#directory.file('track');
  }

  get notifyFifo(): string {
    return this.#directory.file('notify');
  }

  /** What `global.vip` names. */
  vip(more: object = {}): object {
    return { address: VIP, track_file: this.trackFile, notify_fifo: this.notifyFifo, connect_rate: false, ...more };
  }

  /** `0`, `1`, or what else the track file says; empty: there is none. */
  track(): string {
    try {
      return readFileSync(this.trackFile, 'utf8').trim();
    } catch {
      return '';
    }
  }

  /** Says it once, as keepalived does, which has the FIFO open both ways. */
  say(line: string): void {
    const fifo = openSync(this.notifyFifo, constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(fifo, `${line}\n`);
    closeSync(fifo);
  }

  /** MASTER, and that again and again: the address is on no interface, so the proxy would not believe it for long. */
  master(): void {
    const say = (): void => this.say('INSTANCE "limpet" MASTER 200');
    say();
    this.#again ??= setInterval(say, REPEAT_MS);
  }

  backup(word: 'BACKUP' | 'FAULT' | 'STOP' = 'BACKUP'): void {
    this.rest();
    this.say(`INSTANCE "limpet" ${word} 200`);
  }

  /** Says nothing any more. */
  rest(): void {
    if (this.#again !== null) clearInterval(this.#again);
    this.#again = null;
  }

  /** Milliseconds until the track file says so, from now on, in steps of one. */
  async turned(word: '0' | '1', withinMs = 10_000): Promise<number> {
    const startMs = performance.now();
    while (this.track() !== word) {
      if (performance.now() - startMs > withinMs) throw new Error(`the track file says ${this.track()}, not ${word}`);
      await delay(1);
    }
    return performance.now() - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.rest();
    await this.#directory[Symbol.asyncDispose]();
  }
}

export async function makeMover(): Promise<Mover> {
  return new Mover(await makeDirectory('pair'));
}

/** A Limpet that listens at all addresses, and says that it is ready. */
export async function startPaired(mover: Mover, config: PairedConfig, options: LimpetOptions = {}): Promise<Limpet> {
  const limpet = await startLimpet(pairedConfig(mover, config), options);
  await mover.turned('0');
  return limpet;
}

/** As startPaired() has it. */
export function pairedConfig(mover: Mover, { vip, global, frontend, ...more }: PairedConfig): object {
  return {
    global: {
      name: 'lb',
      workers: 2,
      hard_stop_after: '2s',
      stats: { bind: '127.0.0.1:0' },
      vip: mover.vip(vip),
      ...global,
    },
    frontends: { mqtt: { bind: '0.0.0.0:0', default_backend: 'brokers', ...frontend } },
    ...more,
  };
}

export interface PairedConfig {
  /** Further keys. */
  readonly vip?: object;
  readonly global?: object;
  readonly frontend?: object;
  /** Default: in memory. */
  readonly state?: object;
  readonly backends: Readonly<Record<string, object>>;
}

/** The watchdog of a primary, as soon as there is one that is not `before`. */
export function watchdogOf(primary: number, before = 0): Promise<number> {
  const isWatchdog = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('watchdog');
    } catch {
      return false;
    }
  };
  return until(() => childrenOf(primary).find(pid => pid !== before && isWatchdog(pid)), { what: 'a watchdog' });
}

/** The workers of a primary, without its watchdog. */
export async function workersOf(primary: number): Promise<number[]> {
  const watchdog = await watchdogOf(primary);
  return childrenOf(primary).filter(pid => pid !== watchdog);
}

/** Status and body of `/readyz`. */
export async function readyz(limpet: Limpet): Promise<readonly [status: number, body: unknown]> {
  const response = await fetch(`http://${faceAddress(limpet, 'stats')}/readyz`);
  return [response.status, await response.json()];
}

/** Resolves when its log says that it has that role, for the time that is counted. */
export function roleSaid(limpet: Limpet, role: 'active' | 'standby', count = 1): Promise<unknown> {
  const lines = (): number => limpet.events(event => event.event === 'role' && event.role === role).length;
  return limpet.process.waitUntil(`the role ${role}`, () => lines() >= count);
}
