import { getSystemErrorName } from 'node:util';
import { type Borrower, lend } from '../lent_bytes.ts';
import type { Address } from '../stages.ts';
import { ADDRESS_BYTES, EVENT_LENGTH, Event, type NativeAddon, type NativeEngine } from './addon.ts';
import { peerAddress } from './peer_address.ts';
import { SlotTable } from './slot_table.ts';

/** Events of one batch: more come in the next one. */
const EVENTS = 1024;
const PAYLOAD_BYTES = 256 * 1024;
/** From here on a copy has memory of its own, which can be given back: pools of newer Nodes are large. */
const OWN_BYTES = 4096;

/** A TCP connection of the engine's, as the engine speaks to it. */
export interface EngineStream {
  readonly id: number;
  /** They are in the engine's payload, from there on, until this returns: copyOf() and lendTo() fetch them. */
  cameBytes(from: number, bytes: number): void;
  hasDrained(): void;
  hasEnded(): void;
  /** `code`: null after an orderly close. */
  hasClosed(code: string | null): void;
  hasOpened(): void;
  hasFailed(code: string, inBind: boolean): void;
}

export interface EngineLink {
  readonly id: number;
  /** `end`: a `LinkEnd`. */
  hasEnded(end: number, bytesIn: number, bytesOut: number): void;
}

/** Hears of the clients of one listening socket. */
export interface EngineListener {
  readonly id: number;
  /** `local`: the address that it came to; null where the socket is bound to one address. */
  accepted(stream: number, source: Address, local: Address | null): void;
  /** It has no credit any more. */
  starved(code: string): void;
}

/** The native engine of this worker: takes each batch of its events apart, and tells whom they are for. */
export class Engine {
  readonly native: NativeEngine;
  readonly streams: SlotTable<EngineStream> = new SlotTable();
  readonly links: SlotTable<EngineLink> = new SlotTable();
  readonly listeners: SlotTable<EngineListener> = new SlotTable();
  /** Two figures that a call answers. */
  readonly pair: Float64Array = new Float64Array(2);
  readonly #events: Float64Array = new Float64Array(EVENTS * EVENT_LENGTH);
  readonly #payload: Buffer = Buffer.allocUnsafeSlow(PAYLOAD_BYTES);

  /** `pipes`: `EngineOptions.pipes`. */
  constructor(addon: NativeAddon, pipes: number) {
    const onEvents = (count: number): void => this.#tellAll(count);
    this.native = addon.createEngine({ events: this.#events, payload: this.#payload, onEvents, pipes });
  }

  /**
   * A copy of bytes that came. Small ones are cut from Node's pool: whoever gets bytes of a connection before its relay passes
   * them on, copies them (preread) or lets them go within a deadline (dial, handshakes).
   */
  copyOf(from: number, bytes: number): Buffer {
    const chunk = bytes < OWN_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
    this.#payload.copy(chunk, 0, from, from + bytes);
    return chunk;
  }

  /** The same for somebody who passes them on: no memory of its own. */
  lendTo(borrower: Borrower, from: number, bytes: number): void {
    lend(this.#payload, from, bytes, borrower);
  }

  /** Closes everything. Nothing is told any more. */
  shutDown(): void {
    this.native.shutDown();
  }

  #tellAll(count: number): void {
    const events = this.#events;
    const end = count * EVENT_LENGTH;
    for (let at = 0; at < end; at += EVENT_LENGTH) {
      const kind = events[at] as number;
      // Taken back by the engine, for what an event before it has led to.
      if (kind === 0) continue;
      events[at] = 0;
      this.#tell(kind, events[at + 1] as number, at);
    }
  }

  #tell(kind: number, id: number, at: number): void {
    switch (kind) {
      case Event.bytes:
        this.streams.get(id)?.cameBytes(this.#events[at + 4] as number, this.#events[at + 5] as number);
        break;
      case Event.drained:
        this.streams.get(id)?.hasDrained();
        break;
      case Event.ended:
        this.streams.get(id)?.hasEnded();
        break;
      case Event.closed:
        this.streams.get(id)?.hasClosed(codeOf(this.#a(at)));
        break;
      case Event.opened:
        this.streams.get(id)?.hasOpened();
        break;
      case Event.failed:
        this.streams.get(id)?.hasFailed(codeOf(this.#a(at)) ?? 'ECONNREFUSED', this.#b(at) === 1);
        break;
      case Event.linkEnded:
        this.links.get(id)?.hasEnded(this.#a(at), this.#b(at), this.#events[at + 4] as number);
        break;
      case Event.accepted:
        this.#accepted(id, at);
        break;
      case Event.starved:
        this.listeners.get(id)?.starved(codeOf(this.#a(at)) ?? 'EMFILE');
        break;
      default:
    }
  }

  #accepted(stream: number, at: number): void {
    const listener = this.listeners.get(this.#a(at));
    if (listener === null) {
      this.native.reset(stream);
      return;
    }
    const from = this.#events[at + 4] as number;
    const local = this.#b(at) === 1 ? peerAddress(this.#payload, from + ADDRESS_BYTES) : null;
    listener.accepted(stream, peerAddress(this.#payload, from), local);
  }

  #a(at: number): number {
    return this.#events[at + 2] as number;
  }

  #b(at: number): number {
    return this.#events[at + 3] as number;
  }
}

/** The name that Node gives a system error; null: there is none. */
export function codeOf(errno: number): string | null {
  return errno === 0 ? null : getSystemErrorName(-errno);
}
