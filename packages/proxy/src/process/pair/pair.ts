import type { Role } from '../../admin/snapshot.ts';
import type { VipConfig } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { ReloadPart } from '../configurator.ts';
import { Chorus } from '../upgrade/gate.ts';
import type { ToWorker } from '../wire.ts';
import type { Judgement } from './data_path.ts';
import { makeFifo } from './notify_fifo.ts';
import { ReadyWord } from './ready_word.ts';
import { RoleDesk } from './role_desk.ts';
import { Takeover, type TakeoverGate } from './takeover.ts';
import { TrackFile } from './track_file.ts';
import { Watchdog } from './watchdog.ts';

/** A worker, as the pair speaks with it. */
interface Worker {
  readonly id: number;
  readonly pid: number;
  say(message: ToWorker): void;
}

/** The primary, as its part in a pair needs it. */
export interface PairPremises {
  readonly log: Log;
  /** As configured now. */
  vip(): VipConfig | null;
  /** All that run. */
  workers(): readonly Worker[];
  /** Those of them that accept. */
  readyWorkers(): readonly Worker[];
  judge(): Judgement;
  readonly gate: Omit<TakeoverGate, 'ask'>;
  /** For so long the process before this one would have paced CONNECTs; 0: it did not. */
  inheritedPaceMs(): number;
  /** After an upgrade the process before this one still has sessions: those at these addresses are to be reset. */
  tellPredecessor(addresses: readonly string[]): void;
  /** isReady is another one now. */
  readinessChanged(): void;
}

/** How often it is looked at what no event tells: the addresses of this host, the file. */
const LOOK_MS = 1000;
/** For some 10,000 sessions a worker. Those beyond learn of it when they send something; new clients wait meanwhile. */
const RESET_MS = 300;

/**
 * This proxy as one of a pair behind virtual addresses: whether it is active, and whether it could be. Whoever moves the
 * addresses (keepalived, `limpet vip`) reads the track file and writes the FIFO. Without `global.vip` it is always active,
 * and nothing here does anything.
 */
export class Pair implements ReloadPart {
  readonly #premises: PairPremises;
  readonly #isHeir: boolean;
  readonly #files: Pick<VipConfig, 'trackFile' | 'notifyFifo'> | null;
  readonly #track: TrackFile;
  readonly #ready: ReadyWord;
  readonly #roles: RoleDesk;
  readonly #watchdog: Watchdog;
  readonly #takeover: Takeover;
  readonly #stoodBy: Chorus = new Chorus();
  readonly #listeners: ((role: Role) => void)[] = [];
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;

  /** @param isHeir this process replaces another one, which has the file until this one serves */
  constructor(premises: PairPremises, isHeir: boolean) {
    const { log, gate } = premises;
    this.#premises = premises;
    this.#isHeir = isHeir;
    this.#files = premises.vip();
    this.#track = new TrackFile(this.#files?.trackFile ?? '');
    this.#watchdog = new Watchdog(this.#track.path, log, { fault: fault => this.#ready.fault(fault) });
    this.#takeover = new Takeover({ ...gate, ask: on => this.#sayAll(['takeover', on]) });
    this.#ready = new ReadyWord({
      track: this.#track,
      log,
      judge: () => premises.judge(),
      beforeLettingGo: () => (this.role === 'active' ? this.letGo(this.#addresses()) : Promise.resolve()),
      turned: () => premises.readinessChanged(),
    });
    this.#roles = new RoleDesk(
      { log, addresses: () => this.#addresses(), changed: role => this.#roleChanged(role) },
      this.#files === null ? 'active' : 'standby',
    );
  }

  get role(): Role {
    return this.#roles.role;
  }

  /** Whether it could be the active one, as the file says it; without a pair, whether it can serve. */
  get isReady(): boolean {
    return this.#files === null ? this.#premises.judge().ready : this.#ready.isReady;
  }

  /** `Date.now()`; null: it has not changed since the start. */
  get roleSinceMs(): number | null {
    return this.#roles.sinceMs;
  }

  /** What is left of the pace of a takeover; 0: it is not on. */
  get paceLeftMs(): number {
    return this.#takeover.leftMs;
  }

  /** Told of the first role, and of each change of it. */
  onRole(listener: (role: Role) => void): void {
    this.#listeners.push(listener);
  }

  /** Before anything else: it is not ready, and there is a FIFO. @throws LimpetError TRACK_FILE, NOTIFY_FIFO */
  async begin(): Promise<void> {
    if (this.#files === null) return;
    if (!this.#isHeir) this.#track.write(false);
    await makeFifo(this.#files.notifyFifo);
    await this.#watchdog.start();
    if (!this.#isHeir) this.#watchdog.arm();
  }

  /** It serves: from now on the file is this process's to write, and the role is what the addresses say. */
  serve(): void {
    const vip = this.#premises.vip();
    if (this.#files === null || vip === null) return;
    this.#watchdog.arm();
    this.#roles.open(this.#files.notifyFifo);
    // The clients of an upgrade are here already, but for those that the one before this one had not let through yet.
    const paceForMs = this.#isHeir ? this.#premises.inheritedPaceMs() : vip.paceForMs;
    if (this.role === 'active' && paceForMs > 0) this.#takeover.begin({ connectRate: vip.connectRate, paceForMs });
    this.#tellRole();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.changed();
  }

  /** Servers, workers or the configuration are other than before. */
  changed(): void {
    if (this.#timer === null) return;
    this.#watchdog.watch(this.#premises.readyWorkers().map(({ pid }) => pid));
    this.#ready.changed();
  }

  /** A new worker hears what the others have heard. */
  welcome(worker: Worker): void {
    if (this.#takeover.isOn) worker.say(['takeover', true]);
  }

  /** A worker has reset all that letGo() has named. */
  stoodBy(worker: Pick<Worker, 'id'>): void {
    this.#stoodBy.answered(worker);
  }

  workerGone(worker: Pick<Worker, 'id'>): void {
    this.#stoodBy.answered(worker);
    this.changed();
  }

  /** Connections to these addresses are reset in all workers. Resolves when they are, or after 300 ms. */
  async letGo(addresses: readonly string[]): Promise<void> {
    const all = this.#stoodBy.wait(this.#premises.workers());
    this.#sayAll(['standby', addresses]);
    this.#premises.tellPredecessor(addresses);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, RESET_MS);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
  }

  /** A reload: other addresses, or another pace. The files are those of the start. */
  async prepare(): Promise<{ commit(): void; abort(): void }> {
    return { commit: () => setImmediate(() => this.#reconfigured()), abort() {} };
  }

  /** It stops: clients at the addresses are reset while they are here, then the file says so. */
  async stop(): Promise<void> {
    if (this.#timer !== null && !this.#isOver) await this.#ready.giveUp();
  }

  /**
   * Another process serves in this one's place: the file and the FIFO are its own. @param trackFile that it writes; null:
   * none; undefined: it does not say, and is an older one, for which another file was not meant
   */
  handOver(trackFile: string | null | undefined): void {
    if (this.#files === null) return;
    this.#leave();
    const isAbandoned = trackFile === null || (trackFile !== undefined && !this.#track.isAlso(trackFile));
    // Whoever still reads it would take this proxy for ready for ever.
    if (isAbandoned) this.#ready.abandon();
    void this.#watchdog.stop(false);
  }

  /** The end. May be called twice. */
  async close(): Promise<void> {
    const isOurs = this.#timer !== null || !this.#isHeir;
    if (this.#files === null || this.#isOver) return;
    this.#leave();
    // It writes last, should this process not come that far.
    await this.#watchdog.stop(isOurs);
  }

  #leave(): void {
    this.#isOver = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#takeover.end();
    this.#roles.close();
    this.#ready.leave();
  }

  #look(): void {
    this.#roles.look();
    this.changed();
  }

  #roleChanged(role: Role): void {
    const vip = this.#premises.vip();
    if (role === 'standby') {
      void this.letGo(this.#addresses());
      // Workers hear of it after that: who waits for a turn is reset, and does not go to a broker first.
      this.#takeover.end();
    } else if (vip !== null) this.#takeover.begin(vip);
    this.#tellRole();
  }

  #tellRole(): void {
    for (const listener of this.#listeners) listener(this.role);
  }

  #reconfigured(): void {
    this.#takeover.reconfigure(this.#premises.vip()?.connectRate ?? null);
    if (this.#timer !== null && !this.#isOver) this.#look();
  }

  #addresses(): readonly string[] {
    return this.#premises.vip()?.addresses ?? [];
  }

  #sayAll(message: ToWorker): void {
    for (const worker of this.#premises.workers()) worker.say(message);
  }
}
