/**
 * Who holds the address, and when two do: pure.
 */
export interface AddressEvent {
  readonly atMs: number;
  readonly host: string;
  readonly holds: boolean;
}

/** One line of `ip -tshort -oneline monitor address`; null: it does not speak of that address. */
export function addressEvent(line: string, host: string, address: string): AddressEvent | null {
  const match = /^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})\] (Deleted )?\d+: .* inet6? ([0-9a-f.:]+)\//.exec(line);
  if (match === null) return null;
  const [, second = '', fraction = '', deleted, found] = match;
  if (found !== address) return null;
  return { atMs: Date.parse(`${second}Z`) + Number(fraction) / 1000, host, holds: deleted === undefined };
}

/** The hosts that hold it after all those events, in the order in which they took it. */
export function holdersAfter(events: readonly AddressEvent[]): string[] {
  const holders = new Set<string>();
  for (const { host, holds } of events) {
    if (holds) holders.add(host);
    else holders.delete(host);
  }
  return [...holders];
}

/** Milliseconds between `fromMs` and `toMs` in which more than one host held it. */
export function overlapMs(events: readonly AddressEvent[], fromMs: number, toMs: number): number {
  const ordered = [...events].sort((a, b) => a.atMs - b.atMs);
  const holders = new Set<string>();
  let sum = 0;
  let lastMs = fromMs;
  for (const { atMs, host, holds } of ordered) {
    const until = Math.min(Math.max(atMs, fromMs), toMs);
    if (holders.size > 1) sum += until - lastMs;
    lastMs = until;
    if (holds) holders.add(host);
    else holders.delete(host);
  }
  return holders.size > 1 ? sum + toMs - lastMs : sum;
}
