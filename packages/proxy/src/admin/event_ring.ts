import type { LogLevel } from '../config/resolved.ts';
import type { Log, LogFields } from '../log.ts';
import type { AdminEvent } from './control.ts';

const MOST_EVENTS = 1000;

/** The last 1,000 things that happened to the proxy as a whole, for the page and the API. */
export class EventRing {
  readonly #events: AdminEvent[] = [];
  readonly #listeners = new Set<(event: AdminEvent) => void>();
  #lastId = 0;

  push(level: AdminEvent['level'], event: string, message: string): void {
    this.#lastId += 1;
    const entry: AdminEvent = { id: this.#lastId, atMs: Date.now(), level, event, message };
    this.#events.push(entry);
    if (this.#events.length > MOST_EVENTS) this.#events.shift();
    for (const listener of this.#listeners) listener(entry);
  }

  /** Those behind that id, oldest first. */
  after(id: number): readonly AdminEvent[] {
    return this.#events.filter(event => event.id > id);
  }

  /** Answers how to stop. A listener must not throw. */
  listen(listener: (event: AdminEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/**
 * The primary's log, which also tells the ring. Nothing of a client is logged in the primary, so nothing of one is in the
 * ring. Debug lines are not events.
 */
export function ringingLog(log: Log, ring: EventRing): Log {
  const tell =
    (level: AdminEvent['level']) =>
    (event: string, fields: LogFields = {}, message?: string): void => {
      log[level](event, fields, message);
      ring.push(level, event, message ?? describe(event, fields));
    };
  return {
    ...bound(log),
    info: tell('info'),
    warn: tell('warn'),
    error: tell('error'),
  };
}

/** `Log` may be a class: its methods are called on it. */
function bound(log: Log): Log {
  const pass =
    (level: LogLevel) =>
    (event: string, fields?: LogFields, message?: string): void =>
      log[level](event, fields, message);
  return {
    debug: pass('debug'),
    info: pass('info'),
    warn: pass('warn'),
    error: pass('error'),
    line: text => log.line(text),
    format: log.format,
    reopen: () => log.reopen(),
    flush: () => log.flush(),
  };
}

/** `listening frontend=mqtt port=1883`, where a line has no words of its own. */
function describe(event: string, fields: LogFields): string {
  const shown = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${value}`));
  return [event, ...shown].join(' ');
}
