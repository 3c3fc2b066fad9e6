import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { errorCode, LimpetError } from '../../errors.ts';
import { isForeign } from './foreign.ts';

/** Without truncating it: for a moment it would be empty, which keepalived reads as 0. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Whoever moves the addresses may be another user. */
const MODE = 0o644;

/**
 * The file in which whoever moves the addresses reads whether this proxy can be the active one: `0` it can, `1` it cannot.
 * It is opened and closed for each word, for keepalived looks when a writer closes it, and it may be another file by then.
 * It is two bytes on a tmpfs, so writing it holds no event loop, and does not wait for a thread.
 */
export class TrackFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws LimpetError TRACK_FILE */
  write(isReady: boolean): void {
    try {
      const file = openSync(this.path, FLAGS, MODE);
      try {
        this.#writeTo(file, isReady);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if (error instanceof LimpetError) throw error;
      throw broken(this.path, errorCode(error));
    }
  }

  /** Whether it says just that. */
  says(isReady: boolean): boolean {
    try {
      return readFileSync(this.path, 'latin1') === wordOf(isReady);
    } catch {
      return false;
    }
  }

  /** Whether another path leads to the very same file. */
  isAlso(path: string): boolean {
    try {
      const [ours, theirs] = [statSync(this.path), statSync(path)];
      return ours.dev === theirs.dev && ours.ino === theirs.ino;
    } catch {
      return path === this.path;
    }
  }

  #writeTo(file: number, isReady: boolean): void {
    const status = fstatSync(file);
    if (!status.isFile()) throw broken(this.path, 'it is not a file');
    // In a folder where others may write, one of them may have put a file of theirs there, or a second name of ours.
    if (isForeign(status)) throw broken(this.path, 'it belongs to another user');
    if (status.nlink > 1) throw broken(this.path, 'it has another name, too (a hard link)');
    const word = wordOf(isReady);
    writeSync(file, word, 0);
    if (status.size > word.length) ftruncateSync(file, word.length);
    // One that root has made, and that may be written, stays as it is.
    if ((status.mode & 0o777) !== MODE && status.uid === process.getuid?.()) fchmodSync(file, MODE);
  }
}

function wordOf(isReady: boolean): string {
  return isReady ? '0\n' : '1\n';
}

function broken(path: string, why: string): LimpetError {
  const remedy =
    'its folder must be there, and writable for the user that runs Limpet alone; global.vip.track_file names it';
  return new LimpetError('TRACK_FILE', `the track file ${path} cannot be written: ${why}`, remedy);
}
