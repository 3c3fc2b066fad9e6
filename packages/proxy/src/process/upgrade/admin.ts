import { type AdminStore, NO_RECORD } from '@limpet/state';
import type { Config } from '../../config/resolved.ts';
import type { AdminWord } from './wire.ts';

/** The process before this one, and the one behind it. */
type Neighbour = 'predecessor' | 'successor';

/**
 * What operators have said of servers. The new process of an upgrade is told of it, for a shared store may be away just then:
 * then it also writes what the old one could not write, which may end before the store is back.
 * Where no store is shared, the processes go on to tell each other, so that a `maint` said to one of them ends sessions in
 * all.
 */
export class AdminExchange {
  readonly #admin: AdminStore;
  readonly #config: () => Config;
  readonly #tell: (to: Neighbour, word: AdminWord) => void;
  /** Whose word is being taken over just now. */
  #from: Neighbour | null = null;

  constructor(admin: AdminStore, config: () => Config, tell: (to: Neighbour, word: AdminWord) => void) {
    this.#admin = admin;
    this.#config = config;
    this.#tell = tell;
    admin.onChange(backend => this.#changed(backend));
  }

  /** All that there is to say; what is said last counts. */
  words(): AdminWord[] {
    return [...this.#config().backends.flatMap(({ name }) => this.#wordsOf(name)), ...this.#unwritten()];
  }

  /** Never said back to whom it came from: two words that meet on the way would chase each other for ever. */
  said([, backend, server, record, isUnwritten]: AdminWord, from: Neighbour): void {
    if (this.#config().state.store !== 'memory' && !isUnwritten) {
      this.#admin.assume(backend, server, record);
      return;
    }
    this.#from = from;
    void this.#admin.set(backend, server, record);
    this.#from = null;
  }

  #changed(backend: string): void {
    if (this.#config().state.store !== 'memory') {
      // The other one reads the rest from the store.
      for (const word of this.#unwritten()) if (word[1] === backend) this.#tell('successor', word);
      return;
    }
    for (const to of ['predecessor', 'successor'] as const) {
      if (this.#from !== to) for (const word of this.#wordsOf(backend)) this.#tell(to, word);
    }
  }

  /** Of all servers: one that is `ready` again is news too. */
  #wordsOf(backend: string): AdminWord[] {
    const records = this.#admin.records(backend);
    const servers = this.#config().backends.find(({ name }) => name === backend)?.servers ?? [];
    return servers.map(({ name }) => ['admin', backend, name, records.get(name) ?? NO_RECORD, false]);
  }

  #unwritten(): AdminWord[] {
    return this.#admin.unwritten().map(({ backend, server, record }) => ['admin', backend, server, record, true]);
  }
}
