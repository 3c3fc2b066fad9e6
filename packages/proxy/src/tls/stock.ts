import { isDeepStrictEqual } from 'node:util';

/** TLS of one bind or towards one server, made from files that are watched. */
export interface Stocked<Kept> {
  kept(): Kept | null;
  renew(): Promise<() => boolean>;
  adopt(kept: Kept): Promise<() => boolean>;
  close(): void;
}

export interface StockOptions<Terms, Tls, Kept> {
  /** Reads what the terms name; `kept` is for files that cannot be used now. Rejects with LimpetError TLS_*. */
  make(terms: Terms, kept: Kept | null): Promise<Tls>;
}

/** A change of the stock that has been read, and found good. Exactly one of the two is called. */
export interface StockChange {
  /** What is new, or has other terms. */
  readonly made: readonly string[];
  /** It is in use. Answers of which the files were others than before, though its terms are the same. */
  commit(): readonly string[];
  /** Nothing has changed. */
  abort(): void;
}

interface Item<Terms, Tls> {
  readonly terms: Terms;
  readonly tls: Tls;
}

/** The TLS of all binds, or towards all servers, of a process. What keeps its terms across a reload is not touched. */
export class TlsStock<Terms, Tls extends Stocked<Kept>, Kept> {
  readonly #options: StockOptions<Terms, Tls, Kept>;
  #items = new Map<string, Item<Terms, Tls>>();

  constructor(options: StockOptions<Terms, Tls, Kept>) {
    this.#options = options;
  }

  get(key: string): Tls | null {
    return this.#items.get(key)?.tls ?? null;
  }

  /** What is in use, for a process that cannot read it from disk; of these keys, or of all. */
  kept(keys: ReadonlySet<string> | null = null): (readonly [string, Kept])[] {
    return [...this.#items].flatMap(([key, { tls }]) => {
      const kept = keys === null || keys.has(key) ? tls.kept() : null;
      return kept === null ? [] : [[key, kept] as const];
    });
  }

  /**
   * Reads all that is new in `wanted` before anything is changed. `renew`: also what is there already. `given`: what another
   * process has read, taken over where it is there already.
   * @throws LimpetError TLS_*: nothing has changed
   */
  async prepare(
    wanted: ReadonlyMap<string, Terms>,
    { renew = false, given = new Map() }: { readonly renew?: boolean; readonly given?: ReadonlyMap<string, Kept> } = {},
  ): Promise<StockChange> {
    const next = new Map<string, Item<Terms, Tls>>();
    const made: { readonly key: string; readonly tls: Tls }[] = [];
    const swaps: (readonly [key: string, swap: () => boolean])[] = [];
    const abort = (): void => {
      for (const { tls } of made) tls.close();
    };
    try {
      for (const [key, terms] of wanted) {
        const known = this.#items.get(key);
        const kept = given.get(key) ?? null;
        if (known !== undefined && isDeepStrictEqual(known.terms, terms)) {
          next.set(key, known);
          if (renew) swaps.push([key, await known.tls.renew()]);
          else if (kept !== null) swaps.push([key, await known.tls.adopt(kept)]);
          continue;
        }
        const tls = await this.#options.make(terms, kept);
        made.push({ key, tls });
        next.set(key, { terms, tls });
      }
    } catch (error) {
      abort();
      throw error;
    }
    return { abort, made: made.map(({ key }) => key), commit: () => this.#commit(next, swaps) };
  }

  close(): void {
    for (const { tls } of this.#items.values()) tls.close();
  }

  #commit(next: Map<string, Item<Terms, Tls>>, swaps: readonly (readonly [string, () => boolean])[]): string[] {
    const kept = new Set([...next.values()].map(({ tls }) => tls));
    for (const { tls } of this.#items.values()) if (!kept.has(tls)) tls.close();
    this.#items = next;
    return swaps.flatMap(([key, swap]) => (swap() ? [key] : []));
  }
}
