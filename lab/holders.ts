/**
 * Watches which proxy host has the virtual address: the kernel says so itself, at the moment it happens.
 */
import { Belongings } from '../packages/proxy/test/kit/belongings.ts';
import type { Process } from '../packages/proxy/test/kit/process.ts';
import { type AddressEvent, addressEvent, holdersAfter } from './holding.ts';
import { type ProxyName, startOn, virtualAddress } from './network.ts';

const hosts: readonly ProxyName[] = ['proxy1', 'proxy2'];

/** Disposing of it ends the watching. It must begin before anybody holds the address. */
export class Holders implements AsyncDisposable {
  readonly #watches: readonly { readonly host: ProxyName; readonly process: Process }[];
  readonly #owned = new Belongings();

  constructor() {
    this.#watches = hosts.map(host => {
      const process = startOn(host, 'ip', ['-tshort', '-oneline', 'monitor', 'address']);
      return { host, process: this.#owned.own(process) };
    });
  }

  /** Everything that was seen, oldest first. */
  events(): AddressEvent[] {
    const all = this.#watches.flatMap(({ host, process }) =>
      process.lines.flatMap(line => addressEvent(line.text, host, virtualAddress) ?? []),
    );
    return all.sort((a, b) => a.atMs - b.atMs);
  }

  /** Who holds it now. */
  now(): ProxyName[] {
    const holders = holdersAfter(this.events());
    return hosts.filter(host => holders.includes(host));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}
