import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorCode } from '../errors.ts';

/** A host name that has a new address, or none (null, with the reason). */
export type ResolveListener = (host: string, address: string | null, reason: string | null) => void;

/** How long the start waits for names; those that are late are told of when they come. */
const START_DEADLINE_MS = 5000;

/**
 * Looks the servers' host names up, by the system's own resolver, at the start and then every so often; literal
 * addresses are their own answer. A name that could be resolved once keeps its address while look-ups fail.
 */
export class Resolver {
  readonly #addresses = new Map<string, string | null>();
  #everyMs: number;
  readonly #onChange: ResolveListener;
  /** Look-ups under way: the system's resolver may take longer than `everyMs`, and holds a thread all the while. */
  readonly #asking = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(hosts: Iterable<string>, everyMs: number, onChange: ResolveListener) {
    for (const host of hosts) this.#addresses.set(host, isIP(host) === 0 ? null : host);
    this.#everyMs = everyMs;
    this.#onChange = onChange;
  }

  /** Resolves when every name has been looked up once, or after 5 s: the system's resolver may take much longer. */
  async start(): Promise<void> {
    const names = this.#names();
    if (names.length > 0) await withinStart(this.#lookAll(names));
    this.#arm();
  }

  /**
   * Other hosts from now on, looked up so often; those that stay keep their addresses. Resolves when the new ones have been
   * looked up once, or after 5 s. onChange tells of them as of any other.
   */
  async setHosts(hosts: Iterable<string>, everyMs: number): Promise<void> {
    const wanted = new Set(hosts);
    const added = [...wanted].filter(host => !this.#addresses.has(host));
    for (const host of this.#addresses.keys()) if (!wanted.has(host)) this.#addresses.delete(host);
    for (const host of added) this.#addresses.set(host, isIP(host) === 0 ? null : host);
    this.#everyMs = everyMs;
    if (this.#stopped) return;
    this.#arm();
    const names = added.filter(host => isIP(host) === 0);
    if (names.length > 0) await withinStart(this.#lookAll(names));
  }

  /** Null while the name has never been resolved. */
  address(host: string): string | null {
    return this.#addresses.get(host) ?? null;
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #names(): string[] {
    return [...this.#addresses.keys()].filter(host => isIP(host) === 0);
  }

  #arm(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#stopped || this.#names().length === 0) return;
    this.#timer = setInterval(() => void this.#lookAll(this.#names()), this.#everyMs);
    this.#timer.unref();
  }

  async #lookAll(names: readonly string[]): Promise<void> {
    const idle = names.filter(host => !this.#asking.has(host));
    await Promise.all(idle.map(host => this.#look(host)));
  }

  async #look(host: string): Promise<void> {
    this.#asking.add(host);
    try {
      const found = await lookup(host, { all: true });
      // It may have been taken away while it was looked up.
      if (this.#stopped || !this.#addresses.has(host)) return;
      const known = this.#addresses.get(host);
      // A name with several addresses comes in changing order: no reason to move while ours is among them.
      const address = found.find(one => one.address === known)?.address ?? found[0]?.address ?? null;
      if (address === known) return;
      this.#addresses.set(host, address);
      this.#onChange(host, address, null);
    } catch (error) {
      if (this.#addresses.get(host) === null && !this.#stopped) this.#onChange(host, null, errorCode(error));
    } finally {
      this.#asking.delete(host);
    }
  }
}

async function withinStart(looked: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, START_DEADLINE_MS);
  });
  await Promise.race([looked, late]);
  clearTimeout(timer);
}
