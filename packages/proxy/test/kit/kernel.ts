/**
 * What Linux says of TCP connections (/proc/net/tcp): so that a test can see that bytes were taken, and need not guess.
 */
import { readFileSync } from 'node:fs';

/** One end of an IPv4 connection of this host. */
export interface KernelSocket {
  readonly localPort: number;
  readonly remotePort: number;
  /** Bytes that its program has not read yet. */
  readonly unread: number;
  /** Whether the kernel will ask the silent peer whether it is still there (SO_KEEPALIVE). */
  readonly hasKeepAlive: boolean;
}

/** As in the kernel's include/net/tcp_states.h. */
const established = '01';
/** The timer column of a connection with nothing unsent: a keep-alive probe is planned. */
const keepAliveTimer = '02';

/** Every connection of IPv4 that is open in both directions; both ends, where both are here. */
export function kernelSockets(): KernelSocket[] {
  const [, ...lines] = readFileSync('/proc/net/tcp', 'latin1').trimEnd().split('\n');
  return lines.flatMap(line => {
    const [, local = '', remote = '', state, queues = '', timer = ''] = line.trim().split(/\s+/);
    if (state !== established) return [];
    return {
      localPort: portOf(local),
      remotePort: portOf(remote),
      unread: Number.parseInt(queues.split(':')[1] ?? '', 16),
      hasKeepAlive: timer.startsWith(keepAliveTimer),
    };
  });
}

/** `0100007F:075B`: address and port, in hexadecimal digits. */
function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}
