import type { Timer, TimerWheel } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import type { RelayEnd, StopReason } from '../stages.ts';
import { Farewell } from './farewell.ts';
import type { PacketBoundary } from './packet_boundary.ts';
import { type ByteCount, Side } from './side.ts';

export interface RelayLimits {
  /** Silence of the client after which it counts as gone; null: none. */
  readonly clientIdleMs: number | null;
  /** Silence of the broker after which it counts as gone; null: none. */
  readonly serverIdleMs: number | null;
}

/** Counts what passes. */
export interface RelayMeter {
  /** From the client, and to it. */
  readonly in: ByteCount;
  readonly out: ByteCount;
}

const UNCOUNTED: RelayMeter = { in: { add() {} }, out: { add() {} } };

/**
 * How long one direction may stay without a byte after the other has ended, and how long a peer may take to fetch the
 * last ones. HAProxy's client-fin and server-fin.
 */
const LINGER_MS = 30_000;
/** After that, and where the peers have ended it: how long an orderly close may take before it is a reset. */
const LAST_MS = 5000;
/** After this much silence the kernel begins to ask. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Moves bytes between two sides until both are closed. Owns both endpoints from run() on, and closes both. A slow side
 * pauses only the side that feeds it; what is in memory meanwhile is one socket's write buffer (P10).
 */
export class Relay {
  readonly #client: Side;
  readonly #server: Side;
  readonly #wheel: TimerWheel;
  readonly #limits: RelayLimits;
  #end: RelayEnd | null = null;
  #endMs = 0;
  #isClosing = false;
  #timer: Timer | null = null;
  #onDone: ((end: RelayEnd) => void) | null = null;
  #boundary: PacketBoundary | null = null;
  #farewell: Farewell | null = null;

  constructor(
    client: Endpoint,
    server: Endpoint,
    limits: RelayLimits,
    wheel: TimerWheel,
    meter: RelayMeter = UNCOUNTED,
  ) {
    this.#wheel = wheel;
    this.#limits = limits;
    this.#client = new Side(client, server, wheel, meter.in);
    this.#server = new Side(server, client, wheel, meter.out);
  }

  /**
   * Sends the client what was read of the broker already, then relays. Resolves when both sides are closed. `boundary`
   * follows the broker's packets, from the first of these bytes on; null: the client can be told nothing.
   */
  run(toClient: Buffer, boundary: PacketBoundary | null = null): Promise<RelayEnd> {
    this.#boundary = boundary;
    this.#server.follow(boundary);
    return new Promise(resolve => {
      this.#onDone = resolve;
      this.#client.attach(this.#server, code => this.#sideEnded('client', code));
      this.#server.attach(this.#client, code => this.#sideEnded('server', code));
      this.#askKernel();
      this.#server.bytes(toClient);
      this.#client.start();
      this.#server.start();
      this.#watch();
    });
  }

  /** Where silence is allowed for ever, only the kernel can tell a silent peer from one that has vanished. */
  #askKernel(): void {
    if (this.#limits.clientIdleMs !== null) return;
    this.#client.endpoint.keepAlive(KEEP_ALIVE_MS);
    this.#server.endpoint.keepAlive(KEEP_ALIVE_MS);
  }

  /**
   * Ends both sides: what is written is still sent, nothing more is read. At `standby` both are reset: the client now,
   * for it must learn of it while this host has the address; the broker, when all other clients have been, for its own
   * address stays. May be called twice.
   */
  stop(reason: StopReason): void {
    this.#ending(reason);
    if (reason === 'standby') {
      this.#client.endpoint.reset();
      setImmediate(() => this.#server.endpoint.reset());
      return;
    }
    this.#client.endpoint.close();
    this.#server.endpoint.close();
  }

  /**
   * Asks the client to leave: with these words between two packets of the broker, or without (where null, or where there
   * is no boundary to say them at). At most 9 s later both sides are closed. False: it is not running, or ends already.
   */
  evict(words: Buffer | null): boolean {
    if (this.#onDone === null || this.#end !== null) return false;
    this.#ending('drained');
    const boundary = this.#boundary;
    const last = words === null || boundary === null ? null : { words, boundary };
    this.#farewell = new Farewell(this.#client, this.#server, last, this.#wheel);
    this.#farewell.begin();
    return true;
  }

  #sideEnded(name: 'client' | 'server', code: string | null): void {
    this.#ending(code === null ? `${name}_closed` : `${name}_reset`);
    if (!this.#client.gone || !this.#server.gone) return;
    this.#timer?.cancel();
    this.#farewell?.over();
    const done = this.#onDone;
    this.#onDone = null;
    if (this.#end !== null) done?.(this.#end);
  }

  /** The first reason stays: what follows is its consequence. */
  #ending(reason: RelayEnd): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#endMs = this.#wheel.now;
    this.#watch();
  }

  /** Arms the one timer for whichever limit comes first. */
  #watch(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const leftMs = this.#leftMs();
    if (leftMs === null) return;
    // A side that is not read has a longer limit, until it is read again: so it is looked at as often as ever.
    const oftenMs = this.#limits.clientIdleMs ?? this.#limits.serverIdleMs ?? leftMs;
    this.#timer = this.#wheel.after(Math.min(leftMs, oftenMs), () => this.#look());
  }

  #leftMs(): number | null {
    const now = this.#wheel.now;
    if (this.#end !== null) {
      return Math.max(this.#endMs, this.#client.lastMs, this.#server.lastMs) + LINGER_MS - now;
    }
    const client = this.#client.leftMs(this.#limits.clientIdleMs);
    const server = this.#server.leftMs(this.#limits.serverIdleMs);
    if (client === null || server === null) return client ?? server;
    return Math.min(client, server);
  }

  #look(): void {
    const leftMs = this.#leftMs();
    if (leftMs === null) return;
    if (leftMs > 0) this.#watch();
    else if (this.#end !== null) this.#giveUp();
    else {
      // The broker sees the connection break, not a DISCONNECT: it publishes the Will.
      this.#ending(this.#whoIsIdle());
      this.#client.endpoint.close();
      this.#server.endpoint.close();
    }
  }

  /** A side that is not read is not the idle one: the other one takes nothing. */
  #whoIsIdle(): RelayEnd {
    const clientLeft = this.#client.leftMs(this.#limits.clientIdleMs);
    const isClientOver = clientLeft !== null && clientLeft <= 0;
    if (isClientOver) return this.#client.isHeld ? 'server_idle' : 'client_idle';
    return this.#server.isHeld ? 'client_idle' : 'server_idle';
  }

  /**
   * Where the peers have ended it, it is closed: what the kernel holds by then is delivered behind our back, however slow
   * they are. What waits in this process is not.
   */
  #giveUp(): void {
    const isTheirs = this.#end === 'client_closed' || this.#end === 'server_closed';
    if (!isTheirs || this.#isClosing) {
      this.#client.endpoint.reset();
      this.#server.endpoint.reset();
      return;
    }
    this.#isClosing = true;
    this.#endMs = this.#wheel.now - LINGER_MS + LAST_MS;
    this.#client.endpoint.close();
    this.#server.endpoint.close();
    if (this.#onDone !== null) this.#watch();
  }
}
