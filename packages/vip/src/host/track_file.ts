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
  #isGood: boolean | null = null;

  constructor(path: string, onChange: (isGood: boolean) => void) {
    this.#path = path;
    this.#onChange = onChange;
  }

  look(): void {
    this.#watcher ??= this.#watch();
    const isGood = this.#read();
    if (isGood === this.#isGood) return;
    this.#isGood = isGood;
    this.#onChange(isGood);
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

  #read(): boolean {
    let file: number | null = null;
    try {
      file = openSync(this.#path, 'r');
      const length = readSync(file, this.#buffer, 0, this.#buffer.length, 0);
      return this.#buffer.toString('latin1', 0, length).trim() === '0';
    } catch {
      return false;
    } finally {
      if (file !== null) closeSync(file);
    }
  }
}
