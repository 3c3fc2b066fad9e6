import type { AdminRecord, EntryState } from '@limpet/state';
import type { WrittenTicketKey } from '../../tls/ticket_ring.ts';
import type { BoundHandle } from '../sockets.ts';

/**
 * What the process that is being replaced (the old one) and the one that replaces it (the new one) say to each other.
 * It goes over a socketpair that nobody else has, for it carries ticket keys: never to be logged.
 */
export type ToSuccessor =
  /** So many `socket` messages follow. */
  | readonly ['inventory', inventory: Inventory]
  /** With its handle. */
  | readonly ['socket', socket: InheritedSocket]
  /** The TCP ports of runtime API and stats are free. */
  | readonly ['faces']
  /** Entries as they are now. Answered with `taken`. */
  | readonly ['entries', backend: string, entries: readonly EntryTuple[]]
  /** Sessions that are still in the old one. */
  | readonly ['conns', conns: readonly ServerConns[]]
  | AdminWord
  /**
   * The old one accepts nobody any more, and all entries are there. `paceLeftMs`: for so long it would have let CONNECTs
   * through at the pace of a takeover; 0: it has not; an older process does not say.
   */
  | readonly ['over', paceLeftMs?: number];

export type ToPredecessor =
  /** Its configuration is good, and it wants the inventory. */
  | readonly ['hello', protocol: number, version: string]
  /** Wants the TCP ports of runtime API and stats. */
  | readonly ['faces']
  /** It would serve if it had the listening sockets to itself. */
  | readonly ['prepared']
  /** One `entries` has been taken over. */
  | readonly ['taken']
  | AdminWord
  /** Virtual addresses leave this host: sessions at them are to be reset. An older process lets it pass. */
  | readonly ['standby', addresses: readonly string[]]
  /** It serves: the old one may go. `trackFile` is that of its pair; null: none; an older process does not say. */
  | readonly ['serving', trackFile?: string | null]
  | readonly ['failed', reason: string];

/** What an operator has said of a server. `isUnwritten`: the shared store is to be told of it by whoever hears this. */
export type AdminWord = readonly ['admin', backend: string, server: string, record: AdminRecord, isUnwritten: boolean];

export type ServerConns = readonly [backend: string, server: string, conns: number];

/** One key's entry; the key alone: there is none (any more). */
export type EntryTuple =
  | readonly [key: string]
  | readonly [key: string, server: string, owner: string, epoch: number, state: EntryState, ttlMs: number | null];

export interface Inventory {
  /** Tells the owners of the old one's entries, whose sessions end with it, from those of this process. */
  readonly token: string;
  /** The highest number of a worker of the old one: the new one's numbers go on behind it. */
  readonly lastWorker: number;
  readonly sockets: number;
  readonly tickets: readonly WrittenTicketKey[];
  readonly admin: readonly AdminWord[];
  /** Frontends that an operator has disabled. */
  readonly disabled: readonly string[];
}

/** One of the sockets of a bind, in the order in which the old one has them. */
export interface InheritedSocket {
  /** bindKey. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly reusePort: boolean;
}

/** Raised when old and new would not understand each other. */
export const UPGRADE_PROTOCOL = 1;

/** Set by the old process for the new one, which removes it: the old one's pid. */
export const UPGRADE_VARIABLE = 'LIMPET_UPGRADE';

/** A process at the other end of an IPC channel: a child, or this process's own parent. */
interface Peer {
  readonly connected: boolean;
  send?(message: unknown, handle: unknown, options: object | undefined, done: (error: Error | null) => void): boolean;
  disconnect(): void;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** One end of the channel. */
export class UpgradeChannel<Said, Heard> {
  readonly #peer: Peer;

  constructor(peer: unknown, heard: (message: Heard, handle: BoundHandle | null) => void, closed: () => void) {
    this.#peer = peer as Peer;
    this.#peer.on('message', (message, handle) => {
      if (Array.isArray(message)) heard(message as Heard, (handle as BoundHandle | undefined) ?? null);
    });
    this.#peer.on('disconnect', closed);
  }

  /** Resolves when it is on its way, or cannot be: then `disconnect` tells. */
  say(message: Said, handle?: BoundHandle): Promise<void> {
    if (!this.#peer.connected) return Promise.resolve();
    return new Promise(resolve => {
      try {
        this.#peer.send?.(message, handle, undefined, () => resolve());
      } catch {
        // A handle that is closed by now. Whoever waits for it has a deadline; nobody waits for this promise to reject.
        resolve();
      }
    });
  }

  close(): void {
    if (this.#peer.connected) this.#peer.disconnect();
  }
}
