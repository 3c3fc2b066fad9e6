/**
 * One of the two proxy hosts: Limpet, and what moves the address.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Limpet, startLimpet } from '../packages/proxy/test/kit/limpet.ts';
import type { Line } from '../packages/proxy/test/kit/process.ts';
import type { Mover, MoverKind, Timing } from './mover.ts';
import { onHost, type ProxyName, virtualAddress } from './network.ts';
import { processesBelow } from './processes.ts';
import { redisUrl, servers } from './services.ts';

export const mqttPort = 1883;

const workers = 2;
/** The watchdog is the one process of Limpet's that a freeze of Limpet spares: it is what has to see it. */
const watchdog = /watchdog/;

export interface PairSettings {
  readonly by: MoverKind;
  readonly timing: Timing;
  /** CONNECTs a second that a proxy lets through after it has become active; null: Limpet's own default. */
  readonly connectRate: number | null;
}

/** Whoever made it disposes of it; that ends its programs. */
export class ProxyHost implements AsyncDisposable {
  readonly name: ProxyName;
  readonly trackFile: string;
  readonly notifyFifo: string;
  readonly #settings: PairSettings;
  readonly #makeMover: (host: ProxyHost) => Promise<Mover>;
  #limpet: Limpet | null = null;
  /** What Limpets printed that have been replaced. */
  readonly #keptLines: Line[] = [];
  #mover: Mover | null = null;

  constructor(
    name: ProxyName,
    directory: string,
    settings: PairSettings,
    makeMover: (host: ProxyHost) => Promise<Mover>,
  ) {
    this.name = name;
    this.#settings = settings;
    this.#makeMover = makeMover;
    const folder = join(directory, name);
    mkdirSync(folder, { recursive: true });
    this.trackFile = join(folder, 'track');
    this.notifyFifo = join(folder, 'notify');
  }

  get limpet(): Limpet {
    if (this.#limpet === null) throw new Error(`${this.name} has no Limpet`);
    return this.#limpet;
  }

  get mover(): Mover {
    if (this.#mover === null) throw new Error(`${this.name} has nothing that moves the address`);
    return this.#mover;
  }

  /** Limpet first, as the units do. */
  async start(): Promise<void> {
    await this.startLimpet();
    this.#mover = await this.#makeMover(this);
  }

  /** Starts Limpet in the place of one that has ended. */
  async startLimpet(): Promise<void> {
    await this.#limpet?.[Symbol.asyncDispose]();
    this.#keptLines.push(...(this.#limpet?.process.lines ?? []));
    this.#limpet = await startLimpet(this.#configuration(), { before: onHost(this.name) });
  }

  /** Whether Limpet says `0`: ready. */
  get isReady(): boolean {
    try {
      return readFileSync(this.trackFile, 'latin1').startsWith('0');
    } catch {
      return false;
    }
  }

  /** The primary and its workers. */
  limpetProcesses(): number[] {
    const { pid } = this.limpet.process;
    const below = processesBelow(pid).filter(({ command }) => !watchdog.test(command));
    return [pid, ...below.map(process => process.pid)];
  }

  /** Everything that its programs have printed, with the time of each line. */
  logs(): { name: string; lines: string }[] {
    const limpet = [...this.#keptLines, ...(this.#limpet?.process.lines ?? [])];
    return [
      { name: `${this.name}-limpet`, lines: written(limpet) },
      { name: `${this.name}-mover`, lines: written(this.#mover?.process.lines ?? []) },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mover?.[Symbol.asyncDispose]();
    await this.#limpet?.[Symbol.asyncDispose]();
  }

  #configuration(): object {
    const { connectRate } = this.#settings;
    return {
      global: {
        name: this.name,
        workers,
        // The lines of 200 visitors a second would only cost this machine's time.
        log: { level: 'info', format: 'json', sample: { above: '1/s', keep: 1_000_000 } },
        vip: {
          address: virtualAddress,
          track_file: this.trackFile,
          notify_fifo: this.notifyFifo,
          ...(connectRate === null ? {} : { connect_rate: `${connectRate}/s` }),
        },
      },
      state: { store: 'redis', redis: { url: redisUrl } },
      frontends: { mqtt: { bind: [`*:${mqttPort}`], default_backend: 'brokers' } },
      backends: {
        brokers: { balance: 'roundrobin', stick: { on: 'client_id' }, check: { type: 'mqtt' }, servers: servers() },
      },
    };
  }
}

function written(lines: readonly Line[]): string {
  return lines.map(({ atMs, text }) => `${atMs} ${text}\n`).join('');
}
