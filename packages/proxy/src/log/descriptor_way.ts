import { write } from 'node:fs';
import type { Sent, Way } from './way.ts';

/** A descriptor that others opened: standard output. */
export class DescriptorWay implements Way {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  send(bytes: Buffer, sent: Sent): void {
    write(this.#fd, bytes, (error, written) => sent(error, written));
  }

  reopen(): null {
    return null;
  }
}
