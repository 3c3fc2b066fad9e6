import { LimpetError } from '../../errors.ts';
import type { TicketKey } from '../../tls/ticket_ring.ts';
import { readRing } from '../../tls/ticket_ring.ts';
import { proxyVersion } from '../../version.ts';
import type { BoundSocket } from '../sockets.ts';
import { TableReceiver, type Tables } from './tables.ts';
import {
  type AdminWord,
  type InheritedSocket,
  type Inventory,
  type ServerConns,
  type ToPredecessor,
  type ToSuccessor,
  UPGRADE_PROTOCOL,
  UPGRADE_VARIABLE,
  UpgradeChannel,
} from './wire.ts';

/** What this process has from the one before it. */
export interface Inheritance {
  /** bindKey → its sockets. Those that are not used have to be closed. */
  readonly sockets: ReadonlyMap<string, readonly BoundSocket[]>;
  /** The highest number that a worker of it has had. */
  readonly lastWorker: number;
  readonly tickets: readonly TicketKey[];
  readonly admin: readonly AdminWord[];
  readonly disabled: readonly string[];
}

/** What comes of the old process while this one lives. */
export interface PredecessorEvents {
  tables(): Tables;
  adminSaid(word: AdminWord): void;
  conns(conns: readonly ServerConns[]): void;
}

/** The old one answers at once, but a busy machine may take its time. */
const ANSWER_MS = 20_000;

/**
 * The process that this one replaces. Where it dies before it has handed over, this one serves with what has come: nobody
 * else would.
 */
export class Predecessor {
  readonly pid: number;
  /** When the old process and its sessions are gone. */
  readonly gone: Promise<void>;
  readonly #channel: UpgradeChannel<ToPredecessor, ToSuccessor>;
  #events: PredecessorEvents | null = null;
  #receiver: TableReceiver | null = null;
  readonly #sockets = new Map<string, BoundSocket[]>();
  #socketCount = 0;
  #inventory: Inventory | null = null;
  #isGone = false;
  #paceLeftMs = 0;
  readonly #said = new Set<ToSuccessor[0]>();
  #wake: () => void = () => {};

  private constructor(pid: number) {
    this.pid = pid;
    let resolveGone: () => void = () => {};
    this.gone = new Promise(resolve => {
      resolveGone = resolve;
    });
    this.#channel = new UpgradeChannel(
      process,
      (message, handle) => {
        if (message[0] === 'socket' && handle !== null) this.#socket(message[1], { ...message[1], handle });
        else this.#hear(message);
        this.#wake();
      },
      () => {
        this.#isGone = true;
        this.#receiver?.gone();
        this.#events?.conns([]);
        this.#wake();
        resolveGone();
      },
    );
  }

  /** Null: this process was not started to replace another one. To be called once. */
  static find(): Predecessor | null {
    const pid = process.env[UPGRADE_VARIABLE];
    delete process.env[UPGRADE_VARIABLE];
    if (pid === undefined || process.send === undefined) return null;
    return new Predecessor(Number(pid));
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** For so long CONNECTs are to go at the pace of a takeover. */
  get paceLeftMs(): number {
    return this.#paceLeftMs;
  }

  /** Entries that have come. */
  get entries(): number {
    return this.#receiver?.count ?? 0;
  }

  /** @throws LimpetError UPGRADE_FAILED where the old process does not answer */
  async inherit(events: PredecessorEvents): Promise<Inheritance> {
    this.#events = events;
    void this.#channel.say(['hello', UPGRADE_PROTOCOL, proxyVersion()]);
    await this.#until(() => this.#inventory !== null && this.#socketCount === this.#inventory.sockets);
    const nothing = { lastWorker: 0, tickets: [], admin: [], disabled: [] };
    const { lastWorker, tickets, admin, disabled } = this.#inventory ?? nothing;
    return { lastWorker, sockets: this.#sockets, tickets: readRing(tickets) ?? [], admin, disabled };
  }

  /** The old process leaves its TCP ports for runtime API and stats. */
  async releaseFaces(): Promise<void> {
    void this.#channel.say(['faces']);
    await this.#until(() => this.#said.has('faces'));
  }

  /** All is ready here. Resolves when the old process accepts nobody any more, and its entries are here. */
  async takeOver(): Promise<void> {
    void this.#channel.say(['prepared']);
    await this.#until(() => this.#said.has('over'), null);
    this.#receiver?.serving();
  }

  /** The old process may go. @param trackFile of this one; null: none */
  serving(trackFile: string | null): void {
    void this.#channel.say(['serving', trackFile]);
  }

  adminSaid(word: AdminWord): void {
    if (!this.#isGone) void this.#channel.say(word);
  }

  /** Its sessions at these addresses are to be reset. */
  standBy(addresses: readonly string[]): void {
    if (!this.#isGone) void this.#channel.say(['standby', addresses]);
  }

  /** This process cannot serve: the old one goes on. Resolves when it has been told. */
  async fail(reason: string): Promise<void> {
    await this.#channel.say(['failed', reason]);
  }

  #hear(message: ToSuccessor): void {
    switch (message[0]) {
      case 'inventory':
        this.#inventory = message[1];
        this.#receiver = new TableReceiver(() => this.#events?.tables() ?? new Map(), message[1].token);
        break;
      case 'entries':
        this.#receiver?.take(message[1], message[2]);
        void this.#channel.say(['taken']);
        break;
      case 'conns':
        this.#events?.conns(message[1]);
        break;
      case 'admin':
        this.#events?.adminSaid(message);
        break;
      case 'over':
        this.#paceLeftMs = message[1] ?? 0;
        this.#said.add('over');
        break;
      default:
        this.#said.add(message[0]);
    }
  }

  #socket({ key }: InheritedSocket, socket: BoundSocket): void {
    const known = this.#sockets.get(key);
    if (known === undefined) this.#sockets.set(key, [socket]);
    else known.push(socket);
    this.#socketCount += 1;
  }

  /** Or the old process is gone. `withinMs` null: it has a deadline of its own. */
  async #until(condition: () => boolean, withinMs: number | null = ANSWER_MS): Promise<void> {
    let isLate = false;
    const late =
      withinMs === null
        ? null
        : setTimeout(() => {
            isLate = true;
            this.#wake();
          }, withinMs);
    while (!condition() && !this.#isGone && !isLate) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    if (late !== null) clearTimeout(late);
    if (isLate) throw unanswered(this.pid);
  }
}

/**
 * For a program that cannot even begin to serve: where it was started to replace a running one, that one goes on, and says
 * why in its log. Resolves when it has been told.
 */
export async function declineUpgrade(reason: string): Promise<void> {
  await Predecessor.find()?.fail(reason);
}

function unanswered(pid: number): LimpetError {
  return new LimpetError('UPGRADE_FAILED', `the running process ${pid} does not answer`, 'restart it instead');
}
