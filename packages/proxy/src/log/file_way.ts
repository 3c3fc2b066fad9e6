import { close, constants, openSync, write } from 'node:fs';
import type { Sent, Way } from './way.ts';

/** Not blocking: a pipe (mkfifo) that nobody reads must not hold the process. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOCTTY | constants.O_NONBLOCK;
const MODE = 0o640;

/** A file that each process appends to by itself; the kernel keeps what they write apart. */
export class FileWay implements Way {
  readonly #path: string;
  #fd: number;
  /** Opened anew; used as soon as no line is torn between the two. */
  #next: number | null = null;
  #underWay = false;
  #isTorn = false;

  /** @throws the system's error where it cannot be opened */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, FLAGS, MODE);
  }

  send(bytes: Buffer, sent: Sent): void {
    this.#underWay = true;
    write(this.#fd, bytes, (error, written) => {
      this.#underWay = false;
      this.#isTorn = error === null && written < bytes.length;
      this.#turn();
      sent(error, written);
    });
  }

  reopen(): NodeJS.ErrnoException | null {
    try {
      const fd = openSync(this.#path, FLAGS, MODE);
      if (this.#next !== null) close(this.#next, () => {});
      this.#next = fd;
    } catch (error) {
      return error as NodeJS.ErrnoException;
    }
    this.#turn();
    return null;
  }

  #turn(): void {
    if (this.#next === null || this.#underWay || this.#isTorn) return;
    close(this.#fd, () => {});
    this.#fd = this.#next;
    this.#next = null;
  }
}
