import type { ReloadReport } from '../admin/control.ts';
import { EventRing, ringingLog } from '../admin/event_ring.ts';
import type { Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { sessionsOfThisProcess } from '../listen/descriptors.ts';
import { createLog, type Log } from '../log.ts';
import { Bindings, type Listening } from './bindings.ts';
import { Certificates } from './certificates.ts';
import { Configurator, type Prepared } from './configurator.ts';
import type { FaceAddress } from './faces.ts';
import { FrontDesk, workerName } from './front_desk.ts';
import { Notifier, serviceManagerOf } from './notify.ts';
import { Operations } from './operations.ts';
import { PrimaryStore } from './primary_store.ts';
import { Rollout } from './rollout.ts';
import { Servers } from './servers.ts';
import { serviceStatus } from './service_status.ts';
import { Supervisor, type WorkerLink } from './supervisor.ts';
import { TicketOffice } from './ticket_office.ts';
import { Upgrades } from './upgrade.ts';
import { Predecessor } from './upgrade_predecessor.ts';
import type { BindRef, ToPrimary } from './wire.ts';

export type { Listening } from './bindings.ts';

/** A proxy that runs. Signals are the caller's to catch; the process's standard output is its log. */
export interface RunningProxy {
  readonly binds: readonly Listening[];
  /** Runtime API and stats. */
  readonly faces: readonly FaceAddress[];
  /** Stops accepting, lets sessions end until `global.hard_stop_after`, then closes them. May be called twice. */
  stop(): Promise<void>;
  /** Reads the configuration again and goes over to it without touching a session. Never rejects. */
  reload(): Promise<ReloadReport>;
  /**
   * Starts the program anew on the same listening sockets. Resolves when that serves, and this one drains; or when it cannot
   * serve, and this one goes on. Never rejects.
   */
  upgrade(): Promise<void>;
  /** Opens log files anew, in all processes: somebody has moved them away. */
  reopenLogs(): void;
  /** Ends everything at once. */
  kill(): void;
  /** Resolves when nothing runs any more: 0 after stop(), 1 where no worker could be had. */
  readonly finished: Promise<number>;
}

/** What workers may need to write their last lines after their last session. */
const CLOSE_GRACE_MS = 3000;
/** What the primary may need to end its own parts. */
const LAST_WORDS_MS = 2000;
/** Loading the program takes a second or so, on a busy machine some more. */
const START_DEADLINE_MS = 60_000;

/**
 * Starts the proxy: binds, checks, workers. Resolves when every worker serves. Where a running proxy has started this
 * process to replace it, takes over from that one.
 * @throws LimpetError BIND_*, WORKER_CANNOT_START, UPGRADE_FAILED, and what workers report
 */
export async function startProxy(config: Config): Promise<RunningProxy> {
  const primary = new Primary(config, Predecessor.find());
  await primary.start();
  return primary;
}

class Primary implements RunningProxy {
  readonly finished: Promise<number>;
  readonly #log: Log;
  readonly #store: PrimaryStore;
  readonly #desk: FrontDesk;
  readonly #tickets: TicketOffice;
  readonly #certificates: Certificates;
  readonly #servers: Servers;
  readonly #bindings: Bindings = new Bindings();
  readonly #configurator: Configurator;
  readonly #rollout: Rollout = new Rollout();
  readonly #supervisor: Supervisor;
  readonly #operations: Operations;
  readonly #upgrades: Upgrades;
  readonly #notifier: Notifier;
  /** Workers that have been told a configuration. */
  readonly #started = new Set<number>();
  /** What was last warned of, so that a reload does not say it again. */
  #warned = '';
  #onReady: { resolve(): void; reject(error: LimpetError): void } | null = null;
  #finish: (code: number) => void = () => {};
  #stopping: Promise<void> | null = null;
  #ending: Promise<void> | null = null;

  constructor(config: Config, predecessor: Predecessor | null) {
    const events = new EventRing();
    this.#log = ringingLog(createLog(config.global.log, 'primary'), events);
    this.finished = new Promise(resolve => {
      this.#finish = resolve;
    });
    this.#store = new PrimaryStore(config, this.#log);
    this.#certificates = new Certificates(this.#log);
    this.#servers = new Servers(config, this.#store.admin, this.#log, {
      changed: backend => this.#serversChanged(backend),
      health: change => this.#operations.healthChanged(change),
      checked: (backend, server, ok) => this.#operations.checked(backend, server, ok),
    });
    this.#desk = new FrontDesk(config, {
      tell: (worker, message) =>
        this.#supervisor
          .workers()
          .find(({ id }) => id === worker)
          ?.say(message),
      tellAll: message => this.#supervisor.sayAll(message),
    });
    this.#tickets = new TicketOffice(this.#store.connection, this.#log, message => this.#supervisor.sayAll(message));
    this.#configurator = new Configurator(config, {
      certificates: this.#certificates,
      servers: this.#servers,
      bindings: this.#bindings,
      commit: (next, prepared) => this.#commit(next, prepared),
      isStopping: () => this.#stopping !== null || this.#ending !== null || this.#upgrades.isUnderWay,
      reloading: () => this.#notifier.reloading(),
      reloaded: () => this.#notifier.ready(),
      log: this.#log,
    });
    this.#supervisor = new Supervisor(
      config.global.workers,
      {
        loaded: worker => this.#start(worker),
        said: (worker, message) => this.#said(worker, message),
        gone: (worker, how, wasDraining) => this.#gone(worker, how, wasDraining),
        failed: error => this.#failed(error),
      },
      this.#log,
    );
    this.#operations = new Operations({
      desk: this.#desk,
      servers: this.#servers,
      store: this.#store,
      bindings: this.#bindings,
      configurator: this.#configurator,
      supervisor: this.#supervisor,
      events,
      log: this.#log,
      isStopping: () => this.#stopping !== null,
      upgrade: () => this.#upgrades.facts,
    });
    this.#upgrades = this.#makeUpgrades(predecessor);
    this.#notifier = new Notifier({
      manager: serviceManagerOf(process.env, process.pid),
      log: this.#log,
      status: () => serviceStatus(this.#operations.snapshot()),
    });
  }

  get binds(): readonly Listening[] {
    return this.#bindings.listening;
  }

  get faces(): readonly FaceAddress[] {
    return this.#operations.listening;
  }

  get #config(): Config {
    return this.#configurator.config;
  }

  async start(): Promise<void> {
    try {
      await this.#upgrades.inherit();
      (await this.#certificates.prepare(this.#config, false)).commit();
      (await this.#bindings.prepare(this.#config)).commit();
      await this.#store.start();
      await Promise.all([this.#servers.start(), this.#tickets.reconfigure(this.#config)]);
      for (const { name } of this.#config.backends) this.#serversChanged(name);
      const serving = this.#startServing();
      // Operators may be there before the last worker is.
      this.#configurator.waitFor(serving);
      await serving;
    } catch (error) {
      await this.#upgrades.fail(error);
      await this.#end(1);
      throw error;
    }
    this.#warnOfDescriptors();
    this.#tellListening(this.binds);
    for (const { face, address } of this.#operations.listening) this.#log.info('admin_listening', { face, address });
    this.#log.info('ready', { workers: this.#config.global.workers, pid: process.pid });
    this.#notifier.ready();
  }

  reload(): Promise<ReloadReport> {
    return this.#configurator.reload();
  }

  upgrade(): Promise<void> {
    return this.#upgrades.start();
  }

  stop(): Promise<void> {
    this.#upgrades.abort();
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  reopenLogs(): void {
    this.#log.reopen();
    this.#supervisor.sayAll(['reopen']);
  }

  kill(): void {
    this.#upgrades.abort();
    this.#supervisor.killAll();
    void this.#supervisor.stop();
    void this.#end(1);
  }

  /** Workers have the same limit as the primary. */
  #warnOfDescriptors(): void {
    const { maxconn, workers } = this.#config.global;
    const sessions = workers * sessionsOfThisProcess();
    const warned = `${sessions} ${maxconn}`;
    if (sessions >= maxconn || warned === this.#warned) return;
    this.#warned = warned;
    const message = `file descriptors suffice for ${sessions} connections, global.maxconn is ${maxconn}: raise the limit`;
    this.#log.warn('few_descriptors', { sessions, maxconn }, `${message} (ulimit -n, LimitNOFILE=)`);
  }

  #tellListening(binds: readonly Listening[]): void {
    for (const { frontend, bind, address, port } of binds) {
      this.#log.info('listening', { frontend, bind, address, port });
    }
  }

  #makeUpgrades(predecessor: Predecessor | null): Upgrades {
    const premises = {
      desk: this.#desk,
      admin: this.#store.admin,
      bindings: this.#bindings,
      tickets: this.#tickets,
      configurator: this.#configurator,
      operations: this.#operations,
      log: this.#log,
      workers: () => this.#supervisor.workers().filter(({ id }) => this.#started.has(id)),
      bindRefs: (worker: WorkerLink) => this.#bindRefs(worker),
      isStopping: () => this.#stopping !== null || this.#ending !== null,
      replaced: (pid: number) => this.#replaced(pid),
    };
    return new Upgrades(premises, predecessor);
  }

  /** Whoever supervises this process must know of the new one before this one ends, or would take that for the end. */
  #replaced(pid: number): void {
    this.#notifier.mainPid(pid);
    void this.#notifier.close().then(() => this.stop());
  }

  async #startServing(): Promise<void> {
    const startWorkers = (): Promise<void> => this.#startWorkers();
    const startFaces = (): Promise<void> => this.#operations.start();
    if (this.#upgrades.isHeir) {
      await this.#upgrades.takeOver(startWorkers, startFaces);
      return;
    }
    await startFaces();
    await startWorkers();
  }

  async #startWorkers(): Promise<void> {
    const slow = new LimpetError(
      'WORKER_CANNOT_START',
      'the workers are not ready after 60 s',
      'see whether this machine is overloaded',
    );
    const deadline = setTimeout(() => this.#failed(slow), START_DEADLINE_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onReady = { resolve, reject };
        this.#supervisor.start();
      });
    } finally {
      clearTimeout(deadline);
    }
  }

  async #drain(): Promise<void> {
    const { hardStopAfterMs } = this.#config.global;
    this.#log.info('stopping', { hard_stop_after_ms: hardStopAfterMs });
    // Where another process is the service now, that one speaks.
    if (!this.#upgrades.isReplaced) this.#notifier.stopping(hardStopAfterMs + CLOSE_GRACE_MS + LAST_WORDS_MS);
    this.#bindings.close();
    this.#supervisor.sayAll(['drain']);
    const gone = this.#supervisor.stop();
    const close = setTimeout(() => this.#supervisor.sayAll(['close']), hardStopAfterMs);
    const kill = setTimeout(() => this.#supervisor.killAll(), hardStopAfterMs + CLOSE_GRACE_MS);
    await gone;
    clearTimeout(close);
    clearTimeout(kill);
    await this.#upgrades.predecessorGone();
    await this.#end(0);
  }

  /** The first end counts; a second one waits for it. */
  #end(code: number): Promise<void> {
    this.#ending ??= this.#endOnce(code);
    return this.#ending;
  }

  async #endOnce(code: number): Promise<void> {
    this.#certificates.close();
    this.#bindings.close();
    this.#tickets.stop();
    this.#supervisor.killAll();
    await Promise.all([this.#servers.stop(), this.#supervisor.stop(), this.#operations.close()]);
    await this.#upgrades.close();
    await this.#store.close();
    await this.#notifier.close();
    this.#log.info('stopped', { code });
    await this.#log.flush();
    this.#finish(code);
  }

  #start(worker: WorkerLink): void {
    const kept = { binds: this.#certificates.kept(), servers: this.#servers.kept() };
    const name = workerName(this.#config, worker.id);
    this.#started.add(worker.id);
    worker.say(['start', this.#config, name, this.#bindRefs(worker), kept]);
    for (const { name: backend } of this.#config.backends) {
      worker.say(['view', backend, this.#servers.statuses(backend)]);
    }
    this.#tickets.tell(message => worker.say(message));
  }

  /** Everybody goes over to a configuration that has been prepared: first the primary, in one turn, then the workers. */
  async #commit(next: Config, { certificates, servers, bindings }: Prepared): Promise<readonly string[]> {
    const known = new Set(this.binds.map(({ address, port }) => `${address} ${port}`));
    const renewed = [...certificates.commit(), ...servers.commit()];
    const { closeGone } = bindings.commit();
    this.#store.reconfigure(next);
    this.#servers.reconfigure(next);
    this.#desk.reconfigure(next);
    this.#supervisor.resize(next.global.workers);
    for (const { name } of next.backends) this.#serversChanged(name);
    try {
      await this.#tickets.reconfigure(next);
      await this.#tellWorkers(new Set([...certificates.made, ...servers.made, ...renewed]));
    } finally {
      closeGone();
    }
    this.#warnOfDescriptors();
    this.#tellListening(this.binds.filter(({ address, port }) => !known.has(`${address} ${port}`)));
    return renewed;
  }

  /** `others`: bindKeys and `backend/server` whose TLS files are others than before, which no worker needs to read. */
  async #tellWorkers(others: ReadonlySet<string>): Promise<void> {
    const kept = { binds: this.#certificates.kept(others), servers: this.#servers.kept(others) };
    const workers = this.#supervisor.workers().filter(({ id }) => this.#started.has(id));
    const failed = await this.#rollout.toAll(workers, (generation, worker) => {
      return ['config', generation, this.#config, this.#bindRefs(worker), kept];
    });
    for (const { worker, error } of failed) {
      const message = `worker ${worker.id} cannot take the configuration over and is replaced: ${error}`;
      this.#log.error('worker_failed', { id: worker.id, error }, message);
      this.#supervisor.replace(worker);
    }
  }

  #said(worker: WorkerLink, message: ToPrimary): void {
    switch (message[0]) {
      case 'seen':
        this.#servers.seen(message[1], message[2], message[3]);
        break;
      case 'configured':
        this.#rollout.configured(worker.id, message[1], message[2]);
        break;
      case 'ready':
        this.#ready(worker);
        break;
      default:
        if (this.#upgrades.said(worker, message) || this.#operations.said(worker.id, message)) break;
        this.#desk.said(worker, message);
    }
  }

  #ready(worker: WorkerLink): void {
    this.#log.debug('worker_ready', { id: worker.id, worker_pid: worker.pid });
    if (!this.#supervisor.markReady(worker)) return;
    this.#onReady?.resolve();
    this.#onReady = null;
  }

  #gone(worker: WorkerLink, how: string, wasDraining: boolean): void {
    const sessions = this.#desk.workerGone(worker);
    this.#started.delete(worker.id);
    this.#operations.workerGone(worker.id);
    this.#upgrades.workerGone(worker);
    this.#rollout.workerGone(worker.id);
    const fields = { id: worker.id, worker_pid: worker.pid, how, sessions };
    const isExpected = this.#stopping !== null || this.#onReady !== null || wasDraining;
    if (!isExpected) this.#log.error('worker_died', fields, `worker ${worker.id} died: ${how}`);
    else this.#log.debug('worker_gone', fields);
  }

  #failed(error: LimpetError): void {
    if (this.#onReady === null) return;
    this.#onReady.reject(error);
    this.#onReady = null;
  }

  #serversChanged(backend: string): void {
    const statuses = this.#servers.statuses(backend);
    this.#desk.update(backend, statuses);
    this.#supervisor.sayAll(['view', backend, statuses]);
  }

  /** A worker that drains listens on nothing. */
  #bindRefs(worker: WorkerLink): BindRef[] {
    if (this.#supervisor.state(worker) === 'draining') return [];
    return this.#bindings.refs(worker.slot, this.#config.global.workers);
  }
}
