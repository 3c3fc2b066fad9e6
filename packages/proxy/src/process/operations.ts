import { LedgerClock } from '../account/ledger_clock.ts';
import type { EventRing } from '../admin/event_ring.ts';
import type { PeerFacts, ProxyFacts, ScopeFacts, Snapshot, WorkerFacts } from '../admin/snapshot.ts';
import { type ClosableTableAdmin, createTableAdmin, type TableBackend } from '../admin/table/table_admin.ts';
import type { Config } from '../config/resolved.ts';
import type { Log } from '../log.ts';
import { stickTimes } from '../route/stick_times.ts';
import { proxyVersion } from '../version.ts';
import type { Bindings } from './bindings.ts';
import type { Chronicle } from './chronicle.ts';
import type { Configurator } from './configurator.ts';
import { ControlRoom } from './control/control_room.ts';
import { deskDrains } from './drains/desk_drains.ts';
import type { Drains } from './drains/drains.ts';
import { type FaceAddress, Faces } from './faces.ts';
import { type FrontDesk, workerName } from './front_desk.ts';
import { LoopDelays } from './loop_delays.ts';
import type { Pair } from './pair/pair.ts';
import type { Peers } from './peers/peers.ts';
import type { PrimaryStore } from './primary_store.ts';
import { Questions } from './questions.ts';
import type { Servers } from './servers.ts';
import { SnapshotMaker } from './snapshot_maker.ts';
import type { Staff } from './staff.ts';
import type { ToPrimary } from './wire.ts';

/** What the primary has that operators look at and change. */
export interface Plant {
  readonly desk: FrontDesk;
  readonly servers: Servers;
  readonly store: PrimaryStore;
  readonly bindings: Bindings;
  readonly configurator: Configurator;
  readonly staff: Staff;
  readonly chronicle: Chronicle;
  readonly events: EventRing;
  readonly peers: Pick<Peers, 'proxies'>;
  readonly pair: Pick<Pair, 'role' | 'roleSinceMs' | 'isReady'>;
  readonly log: Log;
  /** Which relay moves bytes, and why. */
  relay(): string;
  isStopping(): boolean;
  upgrade(): ProxyFacts['upgrade'];
}

const VERSION = proxyVersion();

/** Everything for operators, in the primary: what they see, what they may do, and the ways in. */
export class Operations {
  readonly #plant: Plant;
  readonly #startedAtMs: number = Date.now();
  readonly #clock: LedgerClock;
  readonly #questions: Questions;
  readonly #drains: Drains;
  readonly #table: ClosableTableAdmin;
  readonly #faces: Faces;
  readonly #delays: LoopDelays = new LoopDelays();
  readonly #snapshots: SnapshotMaker;

  constructor(plant: Plant) {
    const { desk, configurator, staff, log } = plant;
    this.#plant = plant;
    this.#clock = new LedgerClock(desk.ledger);
    this.#questions = new Questions(() => staff.workers());
    this.#drains = deskDrains(
      desk,
      () => configurator.config,
      () => staff.workers(),
      log,
    );
    const { state } = configurator.config;
    this.#table = createTableAdmin({
      redis: state.store === 'redis' ? state.redis : null,
      backends: () => this.#tables(),
      renew: (backend, key) => this.#questions.renew(backend, key),
    });
    this.#snapshots = this.#makeSnapshots();
    this.#faces = new Faces(this.#makeControlRoom(), log);
    configurator.join(this.#faces);
    configurator.join(plant.chronicle);
  }

  /** Opens the ways in. @throws LimpetError where one cannot listen */
  async start(): Promise<void> {
    this.#plant.chronicle.start();
    await this.#faces.start(this.#config.global);
  }

  /** The truth at this moment. */
  snapshot(): Snapshot {
    return this.#snapshots.make();
  }

  get listening(): readonly FaceAddress[] {
    return this.#faces.listening();
  }

  /** A process that takes over needs the TCP ports. */
  async releasePorts(): Promise<void> {
    await this.#faces.releasePorts(this.#config.global);
  }

  /** It has not taken over: everything listens again. @throws LimpetError where one cannot listen */
  async restoreFaces(): Promise<void> {
    await this.#faces.close();
    await this.#faces.start(this.#config.global);
  }

  /** Nothing is asked of workers any more; those who look are sent away. May be called twice. */
  async close(): Promise<void> {
    this.#clock.close();
    this.#delays.close();
    this.#drains.close();
    await this.#faces.close();
    await this.#table.close();
  }

  /** True: it was for this desk. */
  said(worker: number, message: ToPrimary): boolean {
    if (message[0] === 'told') this.#questions.told(worker, message[1], message[2]);
    else if (message[0] === 'part') this.#questions.part(worker, message[1], message[2]);
    else if (message[0] === 'evicted') this.#drains.evicted(worker, message[1], message[2], message[3]);
    else if (message[0] === 'loop') this.#delays.told(worker, message[1]);
    else return false;
    return true;
  }

  workerGone(worker: number): void {
    this.#questions.workerGone(worker);
    this.#delays.workerGone(worker);
    this.#drains.workerGone(worker);
  }

  get #config(): Config {
    return this.#plant.configurator.config;
  }

  #makeControlRoom(): ControlRoom {
    const { configurator, desk, servers, store, events, log } = this.#plant;
    return new ControlRoom({
      config: () => configurator.config,
      edit: change => configurator.edit(change),
      reload: () => configurator.reload(),
      setFrontendEnabled: (frontend, enabled) => configurator.setFrontendEnabled(frontend, enabled),
      snapshot: () => this.snapshot(),
      history: () => this.#clock.history.facts(),
      errors: () => desk.errors.list(),
      conns: (backend, server) => desk.ledger.conns(backend, server),
      admin: store.admin,
      drains: this.#drains,
      questions: this.#questions,
      events,
      table: this.#table,
      health: servers,
      log,
    });
  }

  #makeSnapshots(): SnapshotMaker {
    const { configurator, desk, servers, store, bindings } = this.#plant;
    return new SnapshotMaker({
      config: () => configurator.config,
      fileConfig: () => configurator.fileConfig,
      disabled: configurator.disabled,
      scope: (kind, name) => desk.ledger.scope(kind, name),
      admin: store.admin,
      health: (backend, server) => servers.health(backend, server),
      address: host => servers.address(host),
      conns: (backend, server) => desk.ledger.conns(backend, server),
      history: this.#plant.chronicle.history,
      tasks: () => this.#drains.tasks(),
      workers: () => this.#workers(),
      listening: (frontend, place) =>
        bindings.listening.find(one => one.frontend === frontend && one.place === place) ?? null,
      tableUsed: backend => desk.backends.get(backend)?.table?.count ?? 0,
      proxy: () => this.#proxy(),
      proxies: self => this.#plant.peers.proxies(this.#self(self)),
    });
  }

  #workers(): (Omit<WorkerFacts, keyof ScopeFacts> & { readonly id: number })[] {
    const { staff } = this.#plant;
    return staff.workers().map(worker => ({
      id: worker.id,
      name: workerName(this.#config, worker.id),
      pid: worker.pid,
      state: staff.state(worker),
      startedAtMs: worker.startedAtMs,
      loopDelayMaxMs: this.#delays.maxMs(worker.id),
    }));
  }

  #proxy(): Omit<ProxyFacts, keyof ScopeFacts | 'name' | 'workers' | 'maxconn' | 'store' | 'ulimitN' | 'configPath'> {
    const { configurator, desk, store, pair } = this.#plant;
    return {
      version: VERSION,
      node: process.version,
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      storeReachable: store.connection?.circuit.isClosed ?? true,
      role: pair.role,
      roleSinceMs: pair.roleSinceMs,
      stopping: this.#plant.isStopping(),
      relay: this.#plant.relay(),
      reloads: configurator.reloads,
      lastReload: configurator.lastReload,
      upgrade: this.#plant.upgrade(),
      queued: desk.waiting,
      loopDelayMaxMs: this.#delays.maxMs(),
    };
  }

  #self({ name, version, role, startedAtMs }: ProxyFacts): PeerFacts {
    const { global, backends } = this.#config;
    const { desk, pair } = this.#plant;
    const conns = backends.flatMap(({ name: backend, servers }) =>
      servers.map(server => desk.ledger.conns(backend, server.name)),
    );
    return {
      name,
      self: true,
      version,
      role,
      ready: pair.isReady,
      vip: global.vip?.addresses ?? [],
      startedAtMs,
      state: 'alive',
      beatAgeMs: 0,
      conns: conns.reduce((sum, count) => sum + count, 0),
    };
  }

  #tables(): TableBackend[] {
    const { backends } = this.#plant.desk;
    return this.#config.backends.flatMap(backend => {
      const memory = backends.get(backend.name)?.table ?? null;
      if (backend.stick === null || memory === null) return [];
      const servers = backend.servers.map(({ name }) => name);
      return { name: backend.name, servers, times: stickTimes(backend, backend.stick), memory };
    });
  }
}
