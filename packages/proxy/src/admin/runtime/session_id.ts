/** A worker of this proxy by its number (`lb1/2` is 2), and its number of a session. */
export interface SessionId {
  readonly worker: number;
  readonly id: number;
}

/** A session's number needs 41 bits: it begins with milliseconds since 1970. */
const DIGITS = 12;

/** As HAProxy shows a session's address: the worker in hex, then twelve digits of the session. */
export function writeSessionId(worker: string, id: number): string {
  const number = Number(/\d+$/.exec(worker)?.[0] ?? 0);
  return `0x${number.toString(16)}${id.toString(16).padStart(DIGITS, '0')}`;
}

/** Reads one back; null: it is none. */
export function readSessionId(text: string): SessionId | null {
  const match = /^0x([0-9a-f]{1,6})([0-9a-f]{12})$/i.exec(text);
  if (match === null) return null;
  return { worker: Number.parseInt(match[1] ?? '', 16), id: Number.parseInt(match[2] ?? '', 16) };
}
