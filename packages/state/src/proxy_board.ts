import type { Sheet } from './proxy_sheet.ts';
import type { ProxyFacts } from './proxy_words.ts';
import type { StateError } from './state_error.ts';

/** What this proxy wants the others to know. Keys are `backend/server`. */
export interface ProxyNews extends ProxyFacts {
  /** Connections of each server, in all processes of this proxy. */
  readonly conns: Sheet<number>;
  /** What this proxy thinks of each server, in words: `UP L7OK`. At most 200 characters. */
  readonly health: Sheet<string>;
}

/** Another proxy that shares the state. */
export interface OtherProxy extends ProxyFacts {
  readonly name: string;
  /** It has said something within 3 seconds. */
  readonly isAlive: boolean;
  /** Since it was last heard of. */
  readonly beatAgeMs: number;
  /** Null: not known, or not any more. */
  readonly conns: Sheet<number> | null;
  readonly health: Sheet<string> | null;
  /** Since `health` was read; null where that is. */
  readonly healthAgeMs: number | null;
}

/**
 * What the proxies that share a state tell each other. It exchanges by itself from its making until it is closed or handed
 * over, and nobody ever waits for that. Its maker closes it once, before the connection.
 */
export interface ProxyBoard {
  /** By name; without those that have left, and without this one. */
  others(): readonly OtherProxy[];
  /** Who is there was heard within 3 seconds: an empty others() says that there is nobody. */
  readonly isInformed: boolean;
  /** What this proxy tells has changed in a way that the others should know of at once. */
  tellNow(): void;
  /** Another process of this name tells from now on: nothing is told any more, nor removed by close(), and nobody is known. */
  handOver(): void;
  /** This proxy leaves: what it told is removed, unless Redis is away. May be called twice. */
  close(): Promise<void>;
}

export interface ProxyBoardOptions {
  /** This proxy's name: letters, digits and `_.-`. */
  readonly name: string;
  /** Asked at each exchange. */
  news(): ProxyNews;
  /** After each exchange, and each time that one was due: others() may be other ones. */
  onHeard(): void;
  /** Another process tells under this name, too. Told once for each such process. */
  onTwin(): void;
  /** Redis does not take or tell what there is to tell, though it is there. Told once, until all has gone well again. */
  onRefused(reason: StateError): void;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
}
