/**
 * A selector puts the servers that may be used into the order in which they are tried: retrying is taking the next.
 * It sees values only; the scheduler gathers them and counts what comes of it.
 */
export interface Contender {
  /** Place in the configuration. A reload may change it. */
  readonly index: number;
  /** Its identity between calls. */
  readonly name: string;
  /** Above 0. Slow start makes it a fraction of the configured one. */
  readonly weight: number;
  /** Sessions it has now, reserved ones too. */
  readonly conns: number;
}

/** What is known of the client. */
export interface Ask {
  /** The stick key; null: it has none. */
  readonly key: string | null;
  /** The client's address, without its port. */
  readonly source: string;
}

/**
 * The returned list holds every contender once, best first. `order` may keep a memory of its own (whose turn it is); a
 * call is a turn, so it must be made once for each pick.
 */
export interface Selector {
  order(contenders: readonly Contender[], ask: Ask): readonly Contender[];
  /** Absent where nothing is remembered of servers. Forgets all but these. */
  keep?(names: ReadonlySet<string>): void;
}
