import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { errorCode } from '../../errors.ts';
import type { BoundHandle } from '../sockets.ts';
import { launchSuccessor } from './launch.ts';
import { TableSender, type Tables } from './tables.ts';
import {
  type AdminWord,
  type InheritedSocket,
  type Inventory,
  type ServerConns,
  type ToPredecessor,
  type ToSuccessor,
  UPGRADE_PROTOCOL,
  UpgradeChannel,
} from './wire.ts';

/** What this process has, as far as the one that replaces it needs it. */
export interface Estate {
  sockets(): readonly (InheritedSocket & { readonly handle: BoundHandle })[];
  inventory(): Omit<Inventory, 'token' | 'sockets'>;
  /** The stick tables, or, where they are shared, what this process has seen of them: its answers while Redis is away. */
  tables(): Tables;
  conns(): readonly ServerConns[];
  /** What is left of the pace of a takeover; 0: it is not on. */
  paceLeftMs(): number;
  /** An operator has said it to the new process. */
  adminSaid(word: AdminWord): void;
  /** Virtual addresses leave this host. */
  standBy(addresses: readonly string[]): void;
  /** Closes the TCP ports of the faces; what needs no port stays. */
  releaseFaces(): Promise<void>;
  /** As before releaseFaces(). */
  restoreFaces(): Promise<void>;
  /** No worker accepts any more when it resolves; what comes waits in the backlog. Undone by goOn(). */
  hold(): Promise<void>;
  goOn(): void;
}

const START_MS = 60_000;
/** From the moment on at which nobody accepts. */
const SWITCH_MS = 5000;
const CONNS_EVERY_MS = 1000;
/** For the last words about entries, at the end. */
const CLOSE_MS = 1000;

/** What a process said before its end may be read after the news of its end. */
const LAST_WORD_MS = 200;

type Step = ToPredecessor[0];

/**
 * The process that is to replace this one, and then has: one attempt. Until it serves, whatever goes wrong ends it, and
 * here all is as before.
 */
export class Successor {
  readonly #estate: Estate;
  readonly #child: ChildProcess;
  readonly #channel: UpgradeChannel<ToSuccessor, ToPredecessor>;
  readonly #steps = new Map<Step, () => void>();
  readonly #heard = new Map<Step, ToPredecessor>();
  readonly #failed: Promise<never>;
  readonly #exited: Promise<void>;
  #fail: (reason: string) => void = () => {};
  #sender: TableSender | null = null;
  #conns: NodeJS.Timeout | null = null;
  #releasing: Promise<void> = Promise.resolve();
  #state: 'starting' | 'facesReleased' | 'held' | 'serves' | 'over' = 'starting';

  /** Starts it. */
  constructor(estate: Estate) {
    this.#estate = estate;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reason => reject(new Error(reason));
    });
    this.#failed.catch(() => {});
    this.#child = launchSuccessor();
    this.#child.on('error', error => this.#fail(`it cannot be started: ${errorCode(error)}`));
    this.#exited = new Promise(resolve => this.#child.once('exit', () => resolve()));
    this.#child.on('exit', (code, signal) => this.#failSoon(`it ended: ${signal ?? `exit code ${code}`}`));
    this.#channel = new UpgradeChannel(
      this.#child,
      message => this.#hear(message),
      () => this.#gone(),
    );
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Once it serves: the track file of its pair; null: it has none; undefined: it does not say. */
  get trackFile(): string | null | undefined {
    const said = this.#heard.get('serving');
    return said?.[0] === 'serving' ? said[1] : undefined;
  }

  /** Resolves when the new process serves. Rejects with the reason where it does not; then all is as before here. */
  async replace(): Promise<void> {
    const late = setTimeout(() => this.#fail(`it does not serve after ${START_MS / 1000} s`), START_MS);
    try {
      await Promise.race([this.#handOver(), this.#failed]);
      this.#state = 'serves';
    } catch (error) {
      await this.#undo();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** It is not wanted any more, unless it serves already. */
  abort(reason: string): void {
    this.#fail(reason);
    if (this.#state !== 'serves') this.#child.kill('SIGKILL');
  }

  adminSaid(word: AdminWord): void {
    void this.#channel.say(word);
  }

  /** This process ends: the last words about its entries, for a second at most. */
  async close(): Promise<void> {
    if (this.#state !== 'serves') return;
    const late = new Promise(resolve => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([this.#sender?.flush(), late]);
    this.#gone();
    this.#channel.close();
  }

  async #handOver(): Promise<void> {
    const estate = this.#estate;
    const [, protocol] = (await this.#step('hello')) as Extract<ToPredecessor, readonly ['hello', ...unknown[]]>;
    if (protocol !== UPGRADE_PROTOCOL) throw new Error('it is too different a version: stop this one and start it');
    await this.#sayInventory();
    this.#sender = new TableSender(estate.tables(), (backend, entries) =>
      this.#channel.say(['entries', backend, entries]),
    );
    const told = this.#sender.flush();
    await this.#step('faces');
    this.#state = 'facesReleased';
    this.#releasing = estate.releaseFaces();
    await this.#releasing;
    await this.#channel.say(['faces']);
    await this.#step('prepared');
    await told;
    if (!this.#isOver) await this.#switch(this.#sender);
  }

  async #sayInventory(): Promise<void> {
    const sockets = this.#estate.sockets();
    const token = randomBytes(4).toString('hex');
    await this.#channel.say(['inventory', { ...this.#estate.inventory(), token, sockets: sockets.length }]);
    for (const { key, address, port, reusePort, handle } of sockets) {
      void this.#channel.say(['socket', { key, address, port, reusePort }], handle);
    }
  }

  /** From here to its end nobody accepts: some milliseconds. */
  async #switch(sender: TableSender): Promise<void> {
    const late = setTimeout(() => this.#fail('it has not begun to accept in time'), SWITCH_MS);
    try {
      this.#state = 'held';
      await Promise.race([this.#estate.hold(), this.#failed]);
      await Promise.race([sender.flush(), this.#failed]);
      this.#tellConns();
      this.#conns = setInterval(() => this.#tellConns(), CONNS_EVERY_MS);
      await this.#channel.say(['over', this.#estate.paceLeftMs()]);
      await Promise.race([this.#step('serving'), this.#failed]);
    } finally {
      clearTimeout(late);
    }
  }

  async #undo(): Promise<void> {
    const state = this.#state;
    this.#state = 'over';
    this.#child.kill('SIGKILL');
    this.#gone();
    if (state === 'held') this.#estate.goOn();
    await this.#releasing.catch(() => {});
    // Its sockets close with it.
    const late = new Promise(resolve => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([this.#exited, late]);
    if (state !== 'starting') await this.#estate.restoreFaces();
  }

  /** What a process that has failed had said before its end must not be followed any more. */
  get #isOver(): boolean {
    return this.#state === 'over';
  }

  #tellConns(): void {
    void this.#channel.say(['conns', this.#estate.conns()]);
  }

  #hear(message: ToPredecessor): void {
    if (message[0] === 'taken') this.#sender?.taken();
    else if (message[0] === 'admin') this.#estate.adminSaid(message);
    else if (message[0] === 'standby') this.#estate.standBy(message[1]);
    else if (message[0] === 'failed') this.#fail(message[1]);
    else if (!this.#isOver) {
      this.#heard.set(message[0], message);
      this.#steps.get(message[0])?.();
    }
  }

  async #step(step: Step): Promise<ToPredecessor> {
    for (;;) {
      const heard = this.#heard.get(step);
      if (heard !== undefined) return heard;
      await new Promise<void>(resolve => this.#steps.set(step, resolve));
    }
  }

  #failSoon(reason: string, afterMs: number = LAST_WORD_MS): void {
    setTimeout(() => this.#fail(reason), afterMs).unref();
  }

  #gone(): void {
    // Its exit code says more, and comes at about the same time.
    this.#failSoon('it has let go of this process', 2 * LAST_WORD_MS);
    this.#sender?.close();
    if (this.#conns !== null) clearInterval(this.#conns);
  }
}
