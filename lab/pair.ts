/**
 * The pair in service: both proxy hosts, who holds the address, and the visitors that come in all the time.
 */
import { Belongings } from '../packages/proxy/test/kit/belongings.ts';
import { until } from '../packages/proxy/test/kit/condition.ts';
import { Holders } from './holders.ts';
import { startKeepalived } from './keepalived.ts';
import type { Mover } from './mover.ts';
import type { ProxyName } from './network.ts';
import { mqttPort, type PairSettings, ProxyHost } from './proxy_host.ts';
import type { Services } from './services.ts';
import { startVip } from './vip.ts';
import { Visitors } from './visitors.ts';

const healthyMs = 60_000;
/** keepalived and `limpet vip` listen for three intervals or so before they may become active. */
const moverSettlesMs = 2_000;

/** Disposing of it ends everything that it started. */
export class Pair implements AsyncDisposable {
  readonly settings: PairSettings;
  readonly services: Services;
  readonly hosts: readonly [ProxyHost, ProxyHost];
  readonly holders: Holders;
  readonly #owned = new Belongings();
  #visitors: Visitors | null = null;
  #moversSinceMs: ReadonlyMap<number, number> = new Map();

  constructor(directory: string, services: Services, settings: PairSettings) {
    this.settings = settings;
    this.services = services;
    this.holders = this.#owned.own(new Holders());
    const make = (name: ProxyName): ProxyHost =>
      this.#owned.own(new ProxyHost(name, directory, settings, host => this.#startMover(host)));
    this.hosts = [make('proxy1'), make('proxy2')];
  }

  async start(): Promise<void> {
    await Promise.all(this.hosts.map(host => host.start()));
  }

  /** Lets the visitors come; they do so until the end. */
  get visitors(): Visitors {
    this.#visitors ??= this.#owned.own(new Visitors(mqttPort));
    return this.#visitors;
  }

  host(name: ProxyName): ProxyHost {
    const [first, second] = this.hosts;
    return first.name === name ? first : second;
  }

  /** The one that holds the address; throws when that is not one. */
  get active(): ProxyHost {
    const [name, ...more] = this.holders.now();
    if (name === undefined || more.length > 0) throw new Error(`${more.length + 1} hosts hold the address, not one`);
    return this.host(name);
  }

  /** Whether both are ready and one of them holds the address. */
  get isWhole(): boolean {
    return this.hosts.every(host => host.isReady) && this.holders.now().length === 1;
  }

  /** … and visitors came in for a second since `sinceMs`. */
  async becomeHealthy(sinceMs: number): Promise<void> {
    await until(() => this.isWhole && this.#hasSettled() && this.visitors.isSteady(sinceMs), {
      what: 'a healthy pair',
      timeoutMs: healthyMs,
      seen: () => this.describe(),
    });
  }

  /** One that has just been started again may not take the address yet. */
  #hasSettled(): boolean {
    const nowMs = Date.now();
    const before = new Map(this.#moversSinceMs);
    const each = this.hosts.map(host => host.mover.daemons().map(({ pid }) => pid));
    this.#moversSinceMs = new Map(each.flat().map(pid => [pid, before.get(pid) ?? nowMs]));
    const isOld = (pid: number): boolean => nowMs - (this.#moversSinceMs.get(pid) ?? nowMs) >= moverSettlesMs;
    return each.every(pids => pids.length > 0 && pids.every(isOld));
  }

  /** For an error: what every part says of itself. */
  describe(): string {
    const parts = this.hosts.map(host => {
      const said = `${host.name}: ${host.isReady ? 'ready' : 'not ready'}`;
      return `${said}\n${host.limpet.process.tail()}\n${host.mover.process.tail()}`;
    });
    return [`held by: ${this.holders.now().join(', ') || 'nobody'}`, ...parts].join('\n');
  }

  /** Everything that each host's programs have printed. */
  logs(): { name: string; lines: string }[] {
    return this.hosts.flatMap(host => host.logs());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }

  #startMover(host: ProxyHost): Promise<Mover> {
    const start = { keepalived: startKeepalived, vip: startVip }[this.settings.by];
    return start(host, this.settings.timing);
  }
}
