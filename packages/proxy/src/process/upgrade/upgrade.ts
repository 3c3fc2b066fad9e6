import type { AdminStore } from '@limpet/state';
import { serverScope } from '../../account/scope_names.ts';
import type { ProxyFacts } from '../../admin/snapshot.ts';
import type { Config } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { writeRing } from '../../tls/ticket_ring.ts';
import type { Bindings } from '../bindings.ts';
import type { Configurator } from '../configurator.ts';
import type { FrontDesk } from '../front_desk.ts';
import type { Operations } from '../operations.ts';
import type { WorkerLink } from '../supervisor.ts';
import type { TicketOffice } from '../ticket_office.ts';
import type { BindRef, ToPrimary } from '../wire.ts';
import { AdminExchange } from './admin.ts';
import { Chorus, UpgradeGate } from './gate.ts';
import type { Predecessor } from './predecessor.ts';
import { type Estate, Successor } from './successor.ts';
import type { Tables } from './tables.ts';
import type { Inventory } from './wire.ts';

/** The primary, as an upgrade needs it. */
export interface UpgradePremises {
  readonly desk: FrontDesk;
  readonly admin: AdminStore;
  readonly bindings: Bindings;
  readonly tickets: TicketOffice;
  readonly configurator: Configurator;
  readonly operations: Operations;
  readonly log: Log;
  /** Workers that have been told a configuration. */
  workers(): readonly WorkerLink[];
  bindRefs(worker: WorkerLink): readonly BindRef[];
  /** The highest number that a worker has had. */
  lastWorker(): number;
  /** Numbers up to this one are taken. */
  numberWorkersFrom(lastWorker: number): void;
  isStopping(): boolean;
  /** The new process says: sessions at these addresses are to be reset here, too. */
  standBy(addresses: readonly string[]): void;
  /** What is left of the pace of a takeover. */
  paceLeftMs(): number;
  /** The process of that number serves: this one may drain. `trackFile` is its own; undefined: it does not say. */
  replaced(pid: number, trackFile: string | null | undefined): void;
}

/**
 * SIGUSR2: another process takes the listening sockets, the stick tables and the ticket keys of this one over, or this one
 * has taken over those of another. Connections are never handed on: they end where they began.
 */
export class Upgrades {
  readonly gate: UpgradeGate<WorkerLink>;
  readonly #premises: UpgradePremises;
  readonly #predecessor: Predecessor | null;
  readonly #admin: AdminExchange;
  readonly #held: Chorus = new Chorus();
  #successor: Successor | null = null;
  #isReplaced = false;
  #failure: ProxyFacts['upgrade']['failure'] = null;

  constructor(premises: UpgradePremises, predecessor: Predecessor | null) {
    this.#premises = premises;
    this.#predecessor = predecessor;
    this.gate = new UpgradeGate(predecessor === null, (worker, index) => {
      const handle = premises.bindings.handle(index);
      if (handle !== null) worker.sendHandle(index, handle);
    });
    this.#admin = new AdminExchange(
      premises.admin,
      () => this.#config,
      (to, word) => (to === 'successor' ? this.#successor : this.#predecessor)?.adminSaid(word),
    );
  }

  get facts(): ProxyFacts['upgrade'] {
    const { pid = null, isGone = true } = this.#predecessor ?? {};
    return {
      predecessorPid: isGone ? null : pid,
      predecessorSessions: isGone ? null : this.#premises.desk.predecessorSessions,
      successorPid: this.#successor?.pid ?? null,
      failure: this.#failure,
    };
  }

  /** An upgrade is under way: nothing may change that has been handed over. */
  get isUnderWay(): boolean {
    return this.#successor !== null;
  }

  /** Another process is the service now. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** For so long the process before this one would have paced CONNECTs; 0: it did not, or there was none. */
  get inheritedPaceMs(): number {
    return this.#predecessor?.paceLeftMs ?? 0;
  }

  /** This process replaces another one. */
  get isHeir(): boolean {
    return this.#predecessor !== null;
  }

  /** Takes what the old process has, before anything is bound. @throws LimpetError UPGRADE_FAILED */
  async inherit(): Promise<void> {
    const { bindings, tickets, configurator, desk, numberWorkersFrom } = this.#premises;
    const inheritance = await this.#predecessor?.inherit({
      tables: () => this.#tables(),
      adminSaid: word => this.#admin.said(word, 'predecessor'),
      conns: conns =>
        desk.setElsewhere(
          'predecessor',
          new Map(conns.map(([backend, server, n]) => [serverScope(backend, server), n])),
        ),
    });
    if (inheritance === undefined) return;
    bindings.inherit(inheritance.sockets);
    numberWorkersFrom(inheritance.lastWorker);
    tickets.inherit(inheritance.tickets);
    configurator.startDisabled(inheritance.disabled);
    for (const word of inheritance.admin) this.#admin.said(word, 'predecessor');
  }

  /**
   * Starts the workers, then the faces, and then accepts, in the old process's place.
   * @throws LimpetError as `startWorkers` and `startFaces`: the old process goes on
   */
  async takeOver(startWorkers: () => Promise<void>, startFaces: () => Promise<void>): Promise<void> {
    const predecessor = this.#predecessor;
    if (predecessor === null) return;
    const ready = startWorkers();
    // Whoever waits for it is told; who has failed before does not wait any more.
    ready.catch(() => {});
    await Promise.race([ready, this.gate.prepared(() => this.#wanted())]);
    await predecessor.releaseFaces();
    await startFaces();
    await predecessor.takeOver();
    this.gate.open();
    await ready;
    predecessor.serving(this.#config.global.vip?.trackFile ?? null);
    const { pid, entries } = predecessor;
    const { log } = this.#premises;
    log.info('took_over', { predecessor_pid: pid, entries }, `took over from process ${pid}`);
    void predecessor.gone.then(() => log.info('predecessor_gone', { predecessor_pid: pid }));
  }

  /** This process cannot replace the other one. */
  async fail(error: unknown): Promise<void> {
    const what = error instanceof LimpetError ? `${error.message}; ${error.remedy}` : String(error);
    await this.#predecessor?.fail(what);
  }

  /** SIGUSR2. Resolves when the new process serves, or there is none. Never rejects. */
  async start(): Promise<void> {
    const { admin, log, replaced } = this.#premises;
    const what = this.#obstacle();
    if (what !== null) {
      log.warn('upgrade_refused', { reason: what }, `no upgrade: ${what}`);
      return;
    }
    const startMs = performance.now();
    try {
      // Throws at once where there is no memory for another process.
      this.#successor = new Successor(this.#estate());
      log.info('upgrade', { successor_pid: this.#successor.pid }, 'starting the program anew');
      await this.#successor.replace();
    } catch (error) {
      this.#successor = null;
      const reason = error instanceof Error ? error.message : String(error);
      this.#failure = { atMs: Date.now(), reason };
      log.error('upgrade_failed', { reason }, `the new process cannot take over, this one goes on: ${reason}`);
      return;
    }
    this.#isReplaced = true;
    // The new process has been told of them.
    admin.leaveUnwritten();
    const { pid, trackFile } = this.#successor;
    const fields = { successor_pid: pid, ms: Math.round(performance.now() - startMs) };
    log.info('upgraded', fields, `process ${pid} serves; this one drains`);
    replaced(pid ?? 0, trackFile);
  }

  /** True: it was for this desk. */
  said(worker: WorkerLink, message: ToPrimary): boolean {
    if (message[0] === 'bind') this.gate.ask(worker, message[1]);
    else if (message[0] === 'held') this.#held.answered(worker);
    else return false;
    return true;
  }

  workerGone(worker: WorkerLink): void {
    this.gate.workerGone(worker);
    this.#held.answered(worker);
  }

  /** The process before this one, if it still has sessions, is to reset those at these addresses. */
  standBy(addresses: readonly string[]): void {
    this.#predecessor?.standBy(addresses);
  }

  /** This process stops: the new one is not wanted any more, unless it serves. */
  abort(): void {
    this.#successor?.abort('this process stops');
  }

  /** When the process before this one is gone: what it says of its sessions is passed on until then. */
  async predecessorGone(): Promise<void> {
    if (this.#isReplaced) await this.#predecessor?.gone;
  }

  async close(): Promise<void> {
    this.abort();
    await this.#successor?.close();
  }

  get #config(): Config {
    return this.#premises.configurator.config;
  }

  /** Why there cannot be an upgrade now. */
  #obstacle(): string | null {
    if (this.isUnderWay) return 'one is under way';
    if (this.#premises.isStopping() || !this.gate.isOpen) return 'this process does not serve';
    // Whoever is the first process of a container takes all others with it.
    return process.pid === 1 ? 'the container ends with this process: start another container' : null;
  }

  #wanted(): ReadonlyMap<number, readonly number[]> {
    const { workers, bindRefs } = this.#premises;
    const slots = Array.from({ length: this.#config.global.workers }, (_, slot) => slot);
    const bySlot = new Map(workers().map(worker => [worker.slot, worker]));
    return new Map(
      slots.map(slot => {
        const worker = bySlot.get(slot);
        // One that has not begun yet wants what it has not asked for.
        return worker === undefined ? [-1 - slot, [-1]] : [worker.id, bindRefs(worker).map(({ index }) => index)];
      }),
    );
  }

  #tables(): Tables {
    const { backends } = this.#premises.desk;
    return new Map([...backends].flatMap(([name, { table }]) => (table === null ? [] : [[name, table]])));
  }

  #estate(): Estate {
    const { bindings, desk, log, operations } = this.#premises;
    return {
      sockets: () =>
        bindings.held().map(({ key, socket }) => {
          const { address, port, reusePort, handle } = socket;
          return { key, address, port, reusePort, handle };
        }),
      inventory: () => this.#inventory(),
      tables: () => this.#tables(),
      conns: () =>
        this.#config.backends.flatMap(({ name, servers }) =>
          servers.map(server => [name, server.name, desk.conns(name, server.name)] as const),
        ),
      paceLeftMs: () => this.#premises.paceLeftMs(),
      adminSaid: word => this.#admin.said(word, 'successor'),
      standBy: addresses => this.#premises.standBy(addresses),
      releaseFaces: () => operations.releasePorts(),
      restoreFaces: () =>
        operations.restoreFaces().catch((error: unknown) => {
          const what = error instanceof Error ? error.message : String(error);
          log.error('admin_failed', { error: what }, `runtime API and stats do not listen any more: ${what}`);
        }),
      hold: () => this.#hold(),
      goOn: () => this.#goOn(),
    };
  }

  #inventory(): Omit<Inventory, 'token' | 'sockets'> {
    const { configurator, tickets, lastWorker } = this.#premises;
    return {
      lastWorker: lastWorker(),
      tickets: writeRing(tickets.keys),
      admin: this.#admin.words(),
      disabled: [...configurator.disabled],
    };
  }

  async #hold(): Promise<void> {
    this.gate.shut();
    const workers = this.#premises.workers();
    const all = this.#held.wait(workers);
    for (const worker of workers) worker.say(['hold', true]);
    await all;
  }

  #goOn(): void {
    for (const worker of this.#premises.workers()) worker.say(['hold', false]);
    this.gate.open();
  }
}
