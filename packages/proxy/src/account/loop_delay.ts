/** So often delays are told. */
export const LOOP_TOLD_MS = 1000;

/** What is asked for is the longest of between one and two of these. */
const WINDOW_MS = 30_000;

interface Windows {
  sinceMs: number;
  now: number;
  before: number;
}

/** The longest delays of a while, by who had them. Looking at them changes nothing, so that any number may look. */
export class RecentDelays<Name> {
  readonly #windows = new Map<Name, Windows>();

  note(name: Name, delayMs: number, nowMs: number): void {
    const windows = this.#windows.get(name) ?? { sinceMs: nowMs, now: 0, before: 0 };
    this.#windows.set(name, windows);
    if (nowMs - windows.sinceMs >= WINDOW_MS) Object.assign(windows, { sinceMs: nowMs, now: 0, before: windows.now });
    windows.now = Math.max(windows.now, delayMs);
  }

  /** In milliseconds, of the last 30 to 60 seconds. */
  of(name: Name): number {
    const windows = this.#windows.get(name);
    return windows === undefined ? 0 : Math.max(windows.now, windows.before);
  }

  forget(name: Name): void {
    this.#windows.delete(name);
  }
}
