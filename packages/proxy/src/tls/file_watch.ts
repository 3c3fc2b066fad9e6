import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Looks at the files themselves at least so often: not every filesystem tells of changes, nor every kind of link. */
const LOOK_EVERY_MS = 1000;
/** What looking may cost: with more files than this, looks are rarer, and changes are usually told anyhow. */
const FILES_PER_SECOND = 50;
/** What is written is usually written in several steps. */
const SETTLE_MS = 100;

/**
 * Tells that files or folders have changed: written in place, replaced by a rename, or behind a symbolic link that was
 * turned (as Kubernetes does). One that is still being written is told again when it is whole.
 */
export class FileWatch {
  readonly #paths: () => readonly string[];
  readonly #changed: () => Promise<void>;
  readonly #watchers = new Map<string, FSWatcher>();
  #stamps = '';
  #timer: NodeJS.Timeout | null = null;
  #settling: NodeJS.Timeout | null = null;
  #isLooking = false;
  #isClosed = false;

  /** `changed` is not called again before it has settled. Where it rejects, the next look calls it again. */
  constructor(paths: () => readonly string[], changed: () => Promise<void>) {
    this.#paths = paths;
    this.#changed = changed;
  }

  /** From now on changes are told. A change after this was called is not missed, even if it has not resolved yet. */
  async start(): Promise<void> {
    this.#watchFolders();
    this.#stamps = await this.#stampAll();
    this.#lookLater();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#settling !== null) clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #lookLater(): void {
    if (this.#isClosed) return;
    const delayMs = Math.max(LOOK_EVERY_MS, (this.#paths().length / FILES_PER_SECOND) * 1000);
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#lookLater());
    }, delayMs);
    this.#timer.unref();
  }

  /** Without a watch the looks are enough, only later. */
  #watchFolders(): void {
    for (const folder of new Set(this.#paths().map(dirname))) {
      if (this.#watchers.has(folder) || this.#isClosed) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
        watcher.on('error', () => this.#unwatch(folder));
        this.#watchers.set(folder, watcher);
      } catch {
        this.#unwatch(folder);
      }
    }
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #lookSoon(): void {
    if (this.#isClosed || this.#settling !== null) return;
    this.#settling = setTimeout(() => {
      this.#settling = null;
      if (this.#isLooking) this.#lookSoon();
      else void this.#look();
    }, SETTLE_MS);
    this.#settling.unref();
  }

  /** Never rejects: nobody waits for it, and one failure must not end the watch. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const stamps = await this.#stampAll();
      if (stamps === this.#stamps || this.#isClosed) return;
      await this.#changed();
      this.#stamps = stamps;
      this.#watchFolders();
    } catch {
      // The stamps are still the old ones: this change is told again.
    } finally {
      this.#isLooking = false;
    }
  }

  async #stampAll(): Promise<string> {
    const stamps: string[] = [];
    for (const path of this.#paths()) stamps.push(await stampOf(path));
    return stamps.join('\n');
  }
}

/** What a file looks like from outside. A folder looks different when a name in it is made, removed or replaced. */
async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${path} ${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return `${path} -`;
  }
}
