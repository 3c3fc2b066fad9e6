import type { Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { sessionsOfThisProcess } from '../listen/descriptors.ts';
import { createLog, type Log } from '../log.ts';
import { Certificates } from './certificates.ts';
import { FrontDesk, workerName } from './front_desk.ts';
import { Servers } from './servers.ts';
import { type BoundSocket, bindAll } from './sockets.ts';
import { Supervisor, type WorkerLink } from './supervisor.ts';
import { TicketOffice } from './ticket_office.ts';
import type { BindRef, ToPrimary } from './wire.ts';

/** Where one bind really listens. */
export interface Listening {
  readonly frontend: string;
  /** As configured: `*:1883`. */
  readonly bind: string;
  readonly address: string;
  readonly port: number;
}

/** A proxy that runs. Signals are the caller's to catch; the process's standard output is its log. */
export interface RunningProxy {
  readonly binds: readonly Listening[];
  /** Stops accepting, lets sessions end until `global.hard_stop_after`, then closes them. May be called twice. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
  /** Says in the log that a signal means nothing in this release. */
  ignored(signal: string): void;
  /** Resolves when nothing runs any more: 0 after stop(), 1 where no worker could be had. */
  readonly finished: Promise<number>;
}

/** What workers may need to write their last lines after their last session. */
const CLOSE_GRACE_MS = 3000;
/** Loading the program takes a second or so, on a busy machine some more. */
const START_DEADLINE_MS = 60_000;

/**
 * Starts the proxy: binds, checks, workers. Resolves when every worker serves.
 * @throws LimpetError BIND_*, WORKER_CANNOT_START, and what workers report
 */
export async function startProxy(config: Config): Promise<RunningProxy> {
  const primary = new Primary(config);
  await primary.start();
  return primary;
}

class Primary implements RunningProxy {
  readonly finished: Promise<number>;
  readonly #config: Config;
  readonly #log: Log;
  readonly #desk: FrontDesk;
  readonly #tickets: TicketOffice;
  readonly #certificates: Certificates = new Certificates();
  readonly #servers: Servers;
  readonly #supervisor: Supervisor;
  /** bind → its sockets, one a worker slot or one for all. */
  #sockets: BoundSocket[][] = [];
  #onReady: { resolve(): void; reject(error: LimpetError): void } | null = null;
  #finish: (code: number) => void = () => {};
  #stopping: Promise<void> | null = null;
  #ending: Promise<void> | null = null;

  constructor(config: Config) {
    this.#config = config;
    this.#log = createLog(config.global.log, 'primary');
    this.finished = new Promise(resolve => {
      this.#finish = resolve;
    });
    this.#servers = new Servers(config, this.#log, backend => this.#serversChanged(backend));
    this.#desk = new FrontDesk(config, {
      tell: (worker, message) =>
        this.#supervisor
          .workers()
          .find(({ id }) => id === worker)
          ?.say(message),
      tellAll: message => this.#supervisor.sayAll(message),
    });
    this.#tickets = new TicketOffice(config, this.#log, message => this.#supervisor.sayAll(message));
    this.#supervisor = new Supervisor(
      config.global.workers,
      {
        loaded: worker => this.#start(worker),
        said: (worker, message) => this.#said(worker, message),
        gone: (worker, how) => this.#gone(worker, how),
        failed: error => this.#failed(error),
      },
      this.#log,
    );
  }

  get binds(): readonly Listening[] {
    return this.#sockets.flatMap(([socket]) => {
      if (socket === undefined) return [];
      return { frontend: socket.frontend, bind: socket.bind.label, address: socket.address, port: socket.port };
    });
  }

  async start(): Promise<void> {
    try {
      await this.#certificates.start(this.#config, this.#log);
      for (const frontend of this.#config.frontends) {
        for (const bind of frontend.binds) {
          this.#sockets.push(await bindAll(frontend.name, bind, this.#config.global.workers));
        }
      }
      await Promise.all([this.#servers.start(), this.#tickets.start()]);
      for (const { name } of this.#config.backends) this.#serversChanged(name);
      await this.#startWorkers();
    } catch (error) {
      await this.#end(1);
      throw error;
    }
    this.#warnOfDescriptors();
    for (const bind of this.binds) this.#log.info('listening', { ...bind });
    this.#log.info('ready', { workers: this.#config.global.workers, pid: process.pid });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  ignored(signal: string): void {
    const message = `${signal} does nothing in this release: there is no reload yet; SIGTERM stops`;
    this.#log.warn('signal_ignored', { signal }, message);
  }

  kill(): void {
    this.#supervisor.killAll();
    void this.#supervisor.stop();
    void this.#end(1);
  }

  /** Workers have the same limit as the primary. */
  #warnOfDescriptors(): void {
    const { maxconn, workers } = this.#config.global;
    const sessions = workers * sessionsOfThisProcess();
    if (sessions >= maxconn) return;
    const message = `file descriptors suffice for ${sessions} connections, global.maxconn is ${maxconn}: raise the limit`;
    this.#log.warn('few_descriptors', { sessions, maxconn }, `${message} (ulimit -n, LimitNOFILE=)`);
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
    this.#closeSockets();
    this.#supervisor.sayAll(['drain']);
    const gone = this.#supervisor.stop();
    const close = setTimeout(() => this.#supervisor.sayAll(['close']), hardStopAfterMs);
    const kill = setTimeout(() => this.#supervisor.killAll(), hardStopAfterMs + CLOSE_GRACE_MS);
    await gone;
    clearTimeout(close);
    clearTimeout(kill);
    await this.#end(0);
  }

  /** The first end counts; a second one waits for it. */
  #end(code: number): Promise<void> {
    this.#ending ??= this.#endOnce(code);
    return this.#ending;
  }

  async #endOnce(code: number): Promise<void> {
    this.#certificates.close();
    this.#closeSockets();
    this.#supervisor.killAll();
    await Promise.all([this.#servers.stop(), this.#supervisor.stop(), this.#tickets.stop()]);
    this.#log.info('stopped', { code });
    await this.#log.flush();
    this.#finish(code);
  }

  #start(worker: WorkerLink): void {
    const kept = { binds: this.#certificates.kept(), servers: this.#servers.kept() };
    worker.say(['start', this.#config, workerName(this.#config, worker.id), this.#bindRefs(), kept]);
    for (const { name } of this.#config.backends) worker.say(['view', name, this.#servers.statuses(name)]);
    this.#tickets.tell(message => worker.say(message));
  }

  #said(worker: WorkerLink, message: ToPrimary): void {
    switch (message[0]) {
      case 'seen':
        this.#servers.seen(message[1], message[2], message[3]);
        break;
      case 'bind':
        this.#sendSocket(worker, message[1]);
        break;
      case 'ready':
        this.#ready(worker);
        break;
      default:
        this.#desk.said(worker, message);
    }
  }

  #ready(worker: WorkerLink): void {
    this.#log.debug('worker_ready', { id: worker.id, worker_pid: worker.pid });
    if (!this.#supervisor.markReady(worker)) return;
    this.#onReady?.resolve();
    this.#onReady = null;
  }

  #gone(worker: WorkerLink, how: string): void {
    const sessions = this.#desk.workerGone(worker);
    const fields = { id: worker.id, worker_pid: worker.pid, how, sessions };
    if (this.#stopping === null && this.#onReady === null)
      this.#log.error('worker_died', fields, `worker ${worker.id} died: ${how}`);
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

  #sendSocket(worker: WorkerLink, index: number): void {
    const sockets = this.#sockets[index] ?? [];
    const socket = sockets[worker.slot] ?? sockets[0];
    if (socket !== undefined) worker.sendHandle(index, socket.handle);
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.flat()) socket.handle.close();
    this.#sockets = [];
  }

  #bindRefs(): BindRef[] {
    return this.#sockets.flatMap(([socket], index) => {
      if (socket === undefined) return [];
      const { frontend, bind } = socket;
      const binds = this.#config.frontends.find(({ name }) => name === frontend)?.binds ?? [];
      return { index, frontend, place: binds.indexOf(bind) };
    });
  }
}
