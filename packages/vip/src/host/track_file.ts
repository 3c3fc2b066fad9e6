import { closeSync, type FSWatcher, openSync, readSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * The file in which the proxy says `0` while it is ready, as for keepalived. Everything else, and no file, means that it is
 * not. Told at once by the kernel, and looked at besides at every `look`.
 */
export class TrackFile {
  readonly #path: string;
  readonly #onChange: (isGood: boolean) => void;
  readonly #buffer = Buffer.alloc(8);
  #watcher: FSWatcher | null = null;
  /** Undefined: it was not read yet. */
  #trouble: string | null | undefined;

  constructor(path: string, onChange: (isGood: boolean) => void) {
    this.#path = path;
    this.#onChange = onChange;
  }

  look(): void {
    this.#watcher ??= this.#watch();
    const before = this.#trouble;
    const trouble = this.#read();
    this.#trouble = trouble;
    if (before === undefined || (before === null) !== (trouble === null)) this.#onChange(trouble === null);
  }

  /** Why it does not say that the proxy is ready, as read last; null: it does. */
  get trouble(): string | null {
    return this.#trouble ?? null;
  }

  close(): void {
    this.#watcher?.close();
  }

  /** The folder, so that a file that is made anew is seen, too. Null: it is not there yet. */
  #watch(): FSWatcher | null {
    try {
      const name = basename(this.#path);
      const watcher = watch(dirname(this.#path), { persistent: false }, (_, changed) => {
        if (changed === name) this.look();
      });
      watcher.on('error', () => {
        watcher.close();
        this.#watcher = null;
      });
      return watcher;
    } catch {
      return null;
    }
  }

  #read(): string | null {
    let file: number | null = null;
    try {
      file = openSync(this.#path, 'r');
      const length = readSync(file, this.#buffer, 0, this.#buffer.length, 0);
      const said = this.#buffer.toString('latin1', 0, length).trim();
      return said === '0' ? null : `the track file ${this.#path} says ${JSON.stringify(said)}`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const what = code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`;
      return `the track file ${this.#path} ${what}`;
    } finally {
      if (file !== null) closeSync(file);
    }
  }
}
