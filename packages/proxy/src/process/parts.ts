import { EventRing, ringingLog } from '../admin/event_ring.ts';
import type { Config } from '../config/resolved.ts';
import { createLog, type Log } from '../log.ts';
import { relayHere } from '../native/relay_here.ts';
import { Bindings } from './bindings.ts';
import { Certificates } from './certificates.ts';
import { type ChangeoverParts, changeOver } from './changeover.ts';
import { Chronicle } from './chronicle.ts';
import { Configurator } from './configurator.ts';
import type { FaceAddress } from './faces.ts';
import { FrontDesk } from './front_desk.ts';
import { Notices } from './notices.ts';
import { Notifier, serviceManagerOf } from './notify.ts';
import { Operations } from './operations.ts';
import { Judge } from './pair/judge.ts';
import { Pair } from './pair/pair.ts';
import { Peers } from './peers/peers.ts';
import { PrimaryStore } from './primary_store.ts';
import { Servers } from './servers.ts';
import { serviceStatus } from './service_status.ts';
import { Staff } from './staff.ts';
import type { WorkerLink } from './supervisor.ts';
import { TicketOffice } from './ticket_office.ts';
import type { Predecessor } from './upgrade/predecessor.ts';
import { Upgrades } from './upgrade/upgrade.ts';
import { type WorkerHearers, workerGone, workerSaid } from './worker_words.ts';

/** How far the primary has come. */
export interface Course {
  /** It is to stop, and drains. */
  isStopping(): boolean;
  /** Its parts end. */
  isEnding(): boolean;
  /** The process of that number serves: this one may drain. */
  replaced(pid: number): void;
}

/** What the primary consists of, and how the parts reach each other. None of them has begun. */
export class Parts implements ChangeoverParts, WorkerHearers {
  readonly log: Log;
  readonly store: PrimaryStore;
  readonly certificates: Certificates;
  readonly servers: Servers;
  readonly bindings: Bindings = new Bindings();
  readonly desk: FrontDesk;
  readonly peers: Peers;
  readonly tickets: TicketOffice;
  readonly notices: Notices;
  readonly configurator: Configurator;
  readonly staff: Staff;
  readonly pair: Pair;
  readonly chronicle: Chronicle;
  readonly operations: Operations;
  readonly upgrades: Upgrades;
  readonly notifier: Notifier;
  /** Which relay the workers use; empty before chooseRelay(). */
  #relay = '';

  constructor(config: Config, warned: readonly string[], predecessor: Predecessor | null, course: Course) {
    const events = new EventRing();
    this.log = ringingLog(createLog(config.global.log, 'primary'), events);
    this.store = new PrimaryStore(config, this.log);
    this.certificates = new Certificates(this.log);
    this.notices = new Notices(this.log);
    this.servers = new Servers(config, this.store.admin, this.log, {
      changed: backend => this.serversChanged(backend),
      health: change => this.chronicle.healthChanged(change),
      checked: (backend, server, ok) => this.chronicle.checked(backend, server, ok),
      contested: (backend, server) => this.peers.isContested(backend, server),
    });
    this.desk = new FrontDesk(config, {
      tell: (worker, message) => this.staff.say(worker, message),
      tellAll: message => this.staff.sayAll(message),
    });
    this.peers = this.#makePeers();
    this.tickets = new TicketOffice(this.store.connection, this.log, message => this.staff.sayAll(message));
    this.configurator = this.#makeConfigurator(config, warned, course);
    this.configurator.join(this.store);
    this.staff = this.#makeStaff(config, course);
    this.pair = this.#makePair(predecessor !== null, course);
    this.configurator.join(this.pair);
    const { desk, servers, store, bindings, configurator, staff, log } = this;
    this.chronicle = new Chronicle({ config: () => this.config, desk, servers, store });
    this.operations = new Operations({
      desk,
      servers,
      store,
      bindings,
      configurator,
      staff,
      chronicle: this.chronicle,
      events,
      peers: this.peers,
      pair: this.pair,
      log,
      relay: () => this.#relay,
      isStopping: () => course.isStopping(),
      upgrade: () => this.upgrades.facts,
    });
    this.upgrades = this.#makeUpgrades(predecessor, course);
    this.notifier = new Notifier({
      manager: serviceManagerOf(process.env, process.pid),
      log,
      status: () => serviceStatus(this.operations.snapshot()),
    });
  }

  /** As it is in use. */
  get config(): Config {
    return this.configurator.config;
  }

  /**
   * Sees which relay the workers can use, before there is a worker that could not start.
   * @throws LimpetError RELAY_UNAVAILABLE, CPU_MAP_UNAVAILABLE, CPU_MAP_FAILED
   */
  chooseRelay(): void {
    this.#relay = relayHere(this.config.global);
  }

  /** It serves. */
  announce(faces: readonly FaceAddress[]): void {
    this.notices.ready(this.config, { binds: this.bindings.listening, faces, relay: this.#relay });
  }

  /** Tells all what the servers of a backend are like. */
  serversChanged(backend: string): void {
    const statuses = this.servers.statuses(backend);
    this.desk.update(backend, statuses);
    this.staff.sayAll(['view', backend, statuses]);
    this.pair.changed();
  }

  #makePeers(): Peers {
    const { store, desk, servers, log } = this;
    return new Peers({
      config: () => this.config,
      connection: store.connection,
      desk,
      servers,
      role: () => this.pair.role,
      isReady: () => this.pair.isReady,
      changed: backend => this.serversChanged(backend),
      log,
    });
  }

  #makeConfigurator(config: Config, warned: readonly string[], course: Course): Configurator {
    const { certificates, servers, bindings, log } = this;
    return new Configurator(
      config,
      {
        certificates,
        servers,
        bindings,
        commit: (next, prepared) => changeOver(this, next, prepared),
        isStopping: () => course.isStopping() || course.isEnding() || this.upgrades.isUnderWay,
        reloading: () => this.notifier.reloading(),
        reloaded: () => this.notifier.ready(),
        log,
      },
      warned,
    );
  }

  #makeStaff({ global }: Config, course: Course): Staff {
    const { certificates, servers, bindings, tickets, log } = this;
    return new Staff(global.workers, {
      config: () => this.config,
      certificates,
      servers,
      bindings,
      tickets,
      log,
      said: (worker, message) => workerSaid(this, worker, message),
      gone: worker => workerGone(this, worker),
      welcome: worker => this.pair.welcome(worker),
      ready: () => this.pair.changed(),
      isStopping: () => course.isStopping(),
    });
  }

  #makePair(isHeir: boolean, course: Course): Pair {
    const { staff, desk, servers, store, log } = this;
    const serving = (): WorkerLink[] => staff.workers().filter(worker => staff.state(worker) === 'ready');
    const judge = new Judge({
      config: () => this.config,
      statuses: backend => servers.statuses(backend),
      isShared: store.connection !== null,
      isStopping: () => course.isStopping() || course.isEnding(),
      hasWorker: () => serving().length > 0,
      mates: () => this.peers.mates(),
    });
    const pair = new Pair(
      {
        log,
        vip: () => this.config.global.vip,
        workers: () => staff.toldWorkers(),
        readyWorkers: serving,
        judge: () => judge.judge(),
        gate: { pace: pace => desk.takeOver(pace), waiting: () => desk.waitingForTakeover },
        inheritedPaceMs: () => this.upgrades.inheritedPaceMs,
        tellPredecessor: addresses => this.upgrades.standBy(addresses),
        readinessChanged: () => this.peers.readinessChanged(),
      },
      isHeir,
    );
    pair.onRole(() => this.peers.roleChanged());
    return pair;
  }

  #makeUpgrades(predecessor: Predecessor | null, course: Course): Upgrades {
    const { desk, store, bindings, tickets, configurator, operations, log, staff } = this;
    const premises = {
      desk,
      admin: store.admin,
      bindings,
      tickets,
      configurator,
      operations,
      log,
      workers: () => staff.toldWorkers(),
      bindRefs: (worker: WorkerLink) => staff.bindRefs(worker),
      lastWorker: () => staff.lastNumber,
      numberWorkersFrom: (last: number) => staff.numberFrom(last),
      isStopping: () => course.isStopping() || course.isEnding(),
      standBy: (addresses: readonly string[]) => void this.pair.letGo(addresses),
      paceLeftMs: () => this.pair.paceLeftMs,
      replaced: (pid: number, trackFile: string | null | undefined) => {
        this.peers.handOver();
        this.pair.handOver(trackFile);
        course.replaced(pid);
      },
    };
    return new Upgrades(premises, predecessor);
  }
}
