import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BoundHandle } from './sockets.ts';
import { Outbox, type ToPrimary, type ToWorker } from './wire.ts';

/** A running worker, as the primary speaks with it. */
export interface WorkerLink {
  /** node:cluster's number: never used twice while the primary lives. */
  readonly id: number;
  /** 0 to workers - 1: a replacement takes the slot over. */
  readonly slot: number;
  readonly pid: number;
  say(message: ToWorker): void;
  sendHandle(index: number, handle: BoundHandle): void;
}

export interface SupervisorEvents {
  /** A new worker waits for its `start`. */
  loaded(worker: WorkerLink): void;
  said(worker: WorkerLink, message: ToPrimary): void;
  /** It is dead; nothing more will be heard of it. */
  gone(worker: WorkerLink, how: string): void;
  /** No worker can be had: the program must stop. */
  failed(error: LimpetError): void;
}

interface Slot {
  link: WorkerLink | null;
  process: Worker | null;
  ready: boolean;
  /** Deaths in a row; a worker that has lived for a while makes it 0 again. */
  deaths: number;
  startedMs: number;
  timer: NodeJS.Timeout | null;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A worker that lived this long did not die of its start. */
const SETTLED_MS = 10_000;

/** Keeps the workers running: one that dies is replaced at once, then after 100 ms, 200 ms, … 10 s. */
export class Supervisor {
  readonly #slots: Slot[];
  readonly #events: SupervisorEvents;
  readonly #log: Log;
  /** Every worker has been ready once: from now on one that cannot start does not end the others. */
  #settled = false;
  #stopping = false;
  #onEmpty: (() => void)[] = [];

  constructor(workers: number, events: SupervisorEvents, log: Log) {
    this.#events = events;
    this.#log = log;
    this.#slots = Array.from({ length: workers }, () => {
      return { link: null, process: null, ready: false, deaths: 0, startedMs: 0, timer: null };
    });
  }

  start(): void {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    cluster.setupPrimary({ exec: fileURLToPath(new URL(`./worker_main.${extension}`, import.meta.url)), args: [] });
    this.#slots.forEach((_, slot) => {
      this.#fork(slot);
    });
  }

  workers(): WorkerLink[] {
    return this.#slots.flatMap(slot => slot.link ?? []);
  }

  sayAll(message: ToWorker): void {
    for (const worker of this.workers()) worker.say(message);
  }

  /** The worker serves. True when all of them do, for the first time. */
  markReady(worker: WorkerLink): boolean {
    const slot = this.#slots[worker.slot];
    if (slot !== undefined) slot.ready = true;
    if (this.#settled || !this.#slots.every(one => one.ready)) return false;
    this.#settled = true;
    return true;
  }

  /**
   * From now on nobody is replaced, and a worker that is not ready ends at once: it serves nobody, and would not hear
   * `drain` before its `start`. Resolves when the last worker is gone. May be called more than once.
   */
  stop(): Promise<void> {
    this.#stopping = true;
    for (const slot of this.#slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      if (!slot.ready) slot.process?.process.kill('SIGKILL');
    }
    return new Promise(resolve => {
      this.#onEmpty.push(resolve);
      this.#checkEmpty();
    });
  }

  killAll(): void {
    for (const slot of this.#slots) slot.process?.process.kill('SIGKILL');
  }

  #fork(index: number): void {
    const slot = this.#slots[index];
    if (slot === undefined || this.#stopping) return;
    const worker = cluster.fork();
    const outbox = new Outbox<ToWorker>(batch => worker.isConnected() && worker.send(batch, noop));
    const link: WorkerLink = {
      id: worker.id,
      slot: index,
      pid: worker.process.pid ?? 0,
      say: message => outbox.say(message),
      sendHandle: (bind, handle) => worker.isConnected() && worker.send({ bind }, handle as never, noop),
    };
    Object.assign(slot, { link, process: worker, ready: false, startedMs: performance.now(), timer: null });
    worker.on('message', (batch: ToPrimary[]) => {
      if (slot.link === link) for (const message of batch) this.#said(link, message);
    });
    worker.on('error', error => this.#log.error('worker', { worker: link.id, error: error.message }));
    worker.on('exit', (code, signal) => this.#exited(index, link, signal ?? `exit code ${code}`));
  }

  #said(link: WorkerLink, message: ToPrimary): void {
    if (message[0] === 'failed') this.#cannotStart(new LimpetError(message[1], message[2], message[3]));
    else if (message[0] === 'hello') this.#events.loaded(link);
    else this.#events.said(link, message);
  }

  #exited(index: number, link: WorkerLink, how: string): void {
    const slot = this.#slots[index];
    if (slot === undefined || slot.link !== link) return;
    const wasReady = slot.ready;
    Object.assign(slot, { link: null, process: null, ready: false });
    this.#events.gone(link, how);
    if (this.#stopping) this.#checkEmpty();
    else if (!wasReady && !this.#settled) {
      this.#cannotStart(
        new LimpetError(
          'WORKER_CANNOT_START',
          `worker ${link.id} ended before it was ready: ${how}`,
          'see the lines above',
        ),
      );
    } else this.#replace(index, slot);
  }

  #replace(index: number, slot: Slot): void {
    slot.deaths = performance.now() - slot.startedMs >= SETTLED_MS ? 0 : slot.deaths + 1;
    const delayMs = slot.deaths <= 1 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (slot.deaths - 2));
    slot.timer = setTimeout(() => this.#fork(index), delayMs);
  }

  #cannotStart(error: LimpetError): void {
    if (this.#stopping) return;
    if (!this.#settled) this.#events.failed(error);
    else this.#log.error('worker_failed', { code: error.code, error: error.message, remedy: error.remedy });
  }

  #checkEmpty(): void {
    if (this.workers().length > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

/** A worker that dies while we speak to it is told of by its exit. */
function noop(): void {}
