/** Client id → the broker it is on. */
export type Landing = ReadonlyMap<string, string>;

/** A client that was not brought home. */
export interface Stray {
  readonly id: string;
  readonly home: string;
  /** Undefined: it reached no broker. */
  readonly now: string | undefined;
}

/** The clients of `first` that are elsewhere in `second`. */
export function strays(first: Landing, second: Landing): Stray[] {
  return [...first]
    .filter(([id, broker]) => second.get(id) !== broker)
    .map(([id, broker]) => ({ id, home: broker, now: second.get(id) }));
}
