/** What became of bytes: an error, or how many of them were taken, and how many lines of these can never be sent. */
export type Sent = (error: NodeJS.ErrnoException | null, written: number, lost?: number) => void;

/**
 * A way out for the lines of the log: a descriptor, a file, a syslog server. It takes one piece at a time and calls `sent`
 * once, at once or later; what it does not take, it is asked to take again. It throws nothing.
 */
export interface Way {
  send(bytes: Buffer, sent: Sent): void;
  /** Begins anew (a moved file, a new address of a host); why it goes on as before, or null. */
  reopen(): NodeJS.ErrnoException | null;
}

/** Calls `one` for each line, without its end, until one says why not; then tells `sent` how far it came. */
export function sendLines(bytes: Buffer, one: (line: Buffer) => NodeJS.ErrnoException | null, sent: Sent): void {
  let [written, lost] = [0, 0];
  while (written < bytes.length) {
    const end = bytes.indexOf(10, written);
    const next = end < 0 ? bytes.length : end + 1;
    const error = one(bytes.subarray(written, end < 0 ? next : end));
    if (error?.code === 'EMSGSIZE') lost += 1;
    else if (error !== null) {
      if (written === 0) sent(error, 0);
      else sent(null, written, lost);
      return;
    }
    written = next;
  }
  sent(null, written, lost);
}

/** An error that only its code tells of. */
export function codedError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
