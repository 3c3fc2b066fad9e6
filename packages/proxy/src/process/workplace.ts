import type { Socket } from 'node:net';
import { Registry } from '../account/registry.ts';
import { SessionLog } from '../account/session_log.ts';
import { TimerWheel } from '../clock.ts';
import type { Config, FrontendConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import { Admission } from '../listen/admission.ts';
import { sessionsOfThisProcess } from '../listen/descriptors.ts';
import { inboundOf } from '../listen/inbound.ts';
import { leaseBlock } from '../listen/leases.ts';
import { Listener, type ListenHandle } from '../listen/listener.ts';
import { createLog, type Log } from '../log.ts';
import { PrereadPool } from '../preread/preread_pool.ts';
import { Session } from '../session.ts';
import type { Inbound, StopReason } from '../stages.ts';
import type { LiveSession, SessionRoute, Workshop } from '../workshop.ts';
import type { PrimaryLink } from './primary_link.ts';
import { Routes } from './routes.ts';
import type { BindRef, ToWorker } from './wire.ts';

/** Everything that one worker has: listeners, routes, sessions. It lives as long as the process. */
export class Workplace implements Workshop {
  readonly name: string;
  readonly wheel: TimerWheel = new TimerWheel();
  readonly pool: PrereadPool;
  readonly log: SessionLog;
  readonly registry: Registry<LiveSession> = new Registry();
  readonly #config: Config;
  readonly #link: PrimaryLink;
  readonly #lines: Log;
  readonly #admission: Admission;
  readonly #routes: Routes;
  readonly #listeners = new Map<number, Listener>();
  #awaited: number;
  /** From the clock, so that no session of an earlier run bears the same number in the stick table. */
  #sessions: number = Date.now();
  #draining = false;

  constructor(config: Config, name: string, binds: readonly BindRef[], link: PrimaryLink) {
    this.name = name;
    this.#config = config;
    this.#link = link;
    this.#lines = createLog(config.global.log, name);
    this.pool = new PrereadPool(Math.floor(config.global.prereadMemoryBytes / config.global.workers));
    this.log = new SessionLog(this.#lines, config.global.log.usernames, (...names) => this.registry.counts(...names));
    const { maxconn, workers } = config.global;
    this.#admission = new Admission(link, { block: leaseBlock(maxconn, workers), most: sessionsOfThisProcess() });
    this.#admission.onRoom(() => {
      for (const listener of this.#listeners.values()) listener.resume();
    });
    this.#admission.start();
    this.#routes = new Routes(config, name, link, this.#lines);
    this.#awaited = binds.length;
    for (const bind of binds) this.#open(bind);
  }

  routeOf(inbound: Inbound): SessionRoute {
    return this.#routes.of(inbound.frontend.defaultBackend);
  }

  hear(message: ToWorker): void {
    switch (message[0]) {
      case 'view':
        for (const server of this.#routes.update(message[1], message[2])) this.#fell(message[1], server);
        break;
      case 'answer':
        this.#link.answered(message[1], message[2]);
        break;
      case 'lease':
        this.#admission.granted(message[1]);
        break;
      case 'recall':
        this.#admission.recall();
        break;
      case 'drain':
        this.#drain();
        break;
      case 'close':
        this.#stopAll('shutdown');
        break;
      case 'start':
        break;
    }
  }

  /** The primary's socket of a bind: listens on it. */
  listen(index: number, handle: ListenHandle): void {
    const listener = this.#listeners.get(index);
    if (listener === undefined) return;
    listener.start(handle).then(
      () => this.#listens(),
      error => this.#cannotListen(index, error),
    );
  }

  #open({ index, frontend: name, label }: BindRef): void {
    const frontend = this.#config.frontends.find(one => one.name === name);
    if (frontend === undefined) return;
    const listener = new Listener({
      accepted: socket => this.#accept(socket, frontend, label),
      isFull: () => this.#admission.isFull,
      starved: code =>
        this.#lines.error('starved', { code, bind: label }, `cannot accept on ${label}: ${code}; trying again in 1 s`),
      wantsHandle: () => this.#link.say(['bind', index]),
    });
    this.#listeners.set(index, listener);
    this.#link.say(['bind', index]);
  }

  #listens(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#link.say(['ready']);
  }

  #cannotListen(index: number, error: unknown): void {
    const bind = [...this.#listeners.keys()].indexOf(index);
    const what = error instanceof Error ? error.message : String(error);
    throw new LimpetError(
      'BIND_FAILED',
      `worker ${this.name} cannot listen on bind ${bind}: ${what}`,
      'see whether another program has the port',
    );
  }

  #accept(socket: Socket, frontend: FrontendConfig, label: string): boolean {
    if (!this.#admission.enter()) return false;
    this.#sessions += 1;
    const inbound = inboundOf(socket, this.#sessions, frontend, label);
    if (inbound === null) this.#admission.leave();
    else void new Session(inbound, this).run().then(() => this.#left());
    if (this.#admission.isFull) for (const listener of this.#listeners.values()) listener.pause();
    return true;
  }

  #left(): void {
    this.#admission.leave();
    if (this.#draining && this.registry.size === 0) void this.#leave();
  }

  #fell(backend: string, server: string): void {
    for (const session of this.registry.at(backend, server)) session.serverFell();
  }

  #drain(): void {
    this.#draining = true;
    for (const listener of this.#listeners.values()) listener.close();
    if (this.registry.size === 0) void this.#leave();
  }

  #stopAll(reason: StopReason): void {
    for (const session of this.registry.all()) session.stop(reason);
  }

  /** Says the last words to the table, the primary and the log, and ends the process. */
  async #leave(): Promise<void> {
    await this.#routes.close();
    this.wheel.close();
    this.#link.flush();
    this.#lines.flush();
    process.disconnect();
  }
}
