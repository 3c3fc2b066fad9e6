import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BoundHandle } from './sockets.ts';
import { Outbox, type ToPrimary, type ToWorker } from './wire.ts';

/** A running worker, as the primary speaks with it. */
export interface WorkerLink {
  /** Never used twice, also not by the processes before and behind this one: it is in the names of owners in the store. */
  readonly id: number;
  /** 0 to workers - 1: a replacement takes the slot over. */
  readonly slot: number;
  readonly pid: number;
  /** `Date.now()` at its fork. */
  readonly startedAtMs: number;
  say(message: ToWorker): void;
  sendHandle(index: number, handle: BoundHandle): void;
}

export interface SupervisorEvents {
  /** A new worker waits for its `start`. */
  loaded(worker: WorkerLink): void;
  said(worker: WorkerLink, message: ToPrimary): void;
  /** It is dead; nothing more will be heard of it. `wasDraining`: it was to end. */
  gone(worker: WorkerLink, how: string, wasDraining: boolean): void;
  /** No worker can be had: the program must stop. */
  failed(error: LimpetError): void;
}

/** What a worker is good for. `draining`: it accepts nobody, and lives until its last session ends. */
export type WorkerState = 'starting' | 'ready' | 'draining';

interface Slot {
  link: WorkerLink | null;
  process: Worker | null;
  /** It has been told to start, and may accept clients before it says that it is ready. */
  loaded: boolean;
  ready: boolean;
  /** Deaths in a row; a worker that has lived for a while makes it 0 again. */
  deaths: number;
  startedMs: number;
  timer: NodeJS.Timeout | null;
}

/**
 * V8 compiles a function when it is first called, and forgets what is not called for a while. The first client of a standby
 * that becomes active would wait for all of that: some 10 ms, against 5 MB of memory a worker.
 */
const EAGER = ['--no-lazy', '--no-flush-bytecode'];
/**
 * V8's young generation: 16 MB is its own limit, which a storm of clients fills, and an idle worker may keep three of them for
 * long. With 4 a connection was measured to cost as much CPU as before.
 */
const YOUNG = ['--max-semi-space-size=4'];
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A worker that lived this long did not die of its start. */
const SETTLED_MS = 10_000;

/** Keeps the workers running: one that dies is replaced at once, then after 100 ms, 200 ms, … 10 s. */
export class Supervisor {
  #slots: Slot[];
  /** Workers that have lost their slot, and still have sessions. */
  readonly #draining = new Map<WorkerLink, Worker>();
  readonly #events: SupervisorEvents;
  readonly #log: Log;
  /** Every worker has been ready once: from now on one that cannot start does not end the others. */
  #settled = false;
  #stopping = false;
  /** Numbers that workers of the process before this one have had. */
  #numbersBefore = 0;
  #lastNumber = 0;
  #onEmpty: (() => void)[] = [];

  constructor(workers: number, events: SupervisorEvents, log: Log) {
    this.#events = events;
    this.#log = log;
    this.#slots = Array.from({ length: workers }, emptySlot);
  }

  /** The number of the worker that was forked last, by this process or by the one before it; 0: none was. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Before start(): the process before this one has had workers up to that number. */
  numberFrom(lastNumber: number): void {
    this.#numbersBefore = lastNumber;
    this.#lastNumber = lastNumber;
  }

  start(): void {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const exec = fileURLToPath(new URL(`./worker/worker_main.${extension}`, import.meta.url));
    cluster.setupPrimary({ exec, args: [], execArgv: [...process.execArgv, ...EAGER, ...YOUNG] });
    this.#slots.forEach((_, slot) => {
      this.#fork(slot);
    });
  }

  /** All that run, those that drain too. */
  workers(): WorkerLink[] {
    return [...this.#slots.flatMap(slot => slot.link ?? []), ...this.#draining.keys()];
  }

  state(worker: WorkerLink): WorkerState {
    if (this.#draining.has(worker)) return 'draining';
    return this.#slots[worker.slot]?.ready === true ? 'ready' : 'starting';
  }

  /**
   * From now on so many workers. New ones are forked; the surplus accepts nobody any more, lives until its last session
   * ends, and is not replaced then.
   */
  resize(workers: number): void {
    if (this.#stopping) return;
    const surplus = this.#slots.slice(workers);
    const before = this.#slots.length;
    this.#slots = [...this.#slots.slice(0, workers), ...Array.from({ length: workers - before }, emptySlot)];
    for (const slot of surplus) this.#retire(slot);
    for (let slot = before; slot < workers; slot += 1) this.#fork(slot);
  }

  /** Another one takes its slot over at once; it drains. For a worker that cannot be relied upon, but has sessions. */
  replace(worker: WorkerLink): void {
    const slot = this.#slots[worker.slot];
    if (slot === undefined || slot.link !== worker || this.#stopping) return;
    const fresh = emptySlot();
    this.#slots[worker.slot] = fresh;
    this.#retire(slot);
    this.#fork(worker.slot);
  }

  sayAll(message: ToWorker): void {
    for (const worker of this.workers()) worker.say(message);
  }

  /** The worker serves. True when all of them do, for the first time. */
  markReady(worker: WorkerLink): boolean {
    const slot = this.#slots[worker.slot];
    if (slot?.link === worker) slot.ready = true;
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
    for (const worker of this.#draining.values()) worker.process.kill('SIGKILL');
  }

  /** One that has not been told to start serves nobody, and would not hear. */
  #retire(slot: Slot): void {
    if (slot.timer !== null) clearTimeout(slot.timer);
    const { link, process: worker, loaded } = slot;
    if (link === null || worker === null) return;
    this.#draining.set(link, worker);
    if (loaded) link.say(['drain']);
    else worker.process.kill('SIGKILL');
  }

  #fork(index: number): void {
    const slot = this.#slots[index];
    if (slot === undefined || this.#stopping) return;
    const worker = cluster.fork();
    this.#lastNumber = this.#numbersBefore + worker.id;
    const outbox = new Outbox<ToWorker>(batch => worker.isConnected() && worker.send(batch, noop));
    const link: WorkerLink = {
      id: this.#lastNumber,
      slot: index,
      pid: worker.process.pid ?? 0,
      startedAtMs: Date.now(),
      say: message => outbox.say(message),
      sendHandle: (bind, handle) => worker.isConnected() && worker.send({ bind }, handle as never, noop),
    };
    Object.assign(slot, {
      link,
      process: worker,
      loaded: false,
      ready: false,
      startedMs: performance.now(),
      timer: null,
    });
    worker.on('message', (batch: ToPrimary[]) => {
      if (slot.link === link || this.#draining.has(link)) for (const message of batch) this.#said(link, message);
    });
    worker.on('error', error => this.#log.error('worker', { worker: link.id, error: error.message }));
    worker.on('exit', (code, signal) => this.#exited(index, link, signal ?? `exit code ${code}`));
  }

  #said(link: WorkerLink, message: ToPrimary): void {
    if (message[0] === 'failed') this.#cannotStart(new LimpetError(message[1], message[2], message[3]));
    else if (message[0] === 'hello') this.#loaded(link);
    else this.#events.said(link, message);
  }

  #loaded(link: WorkerLink): void {
    const slot = this.#slots[link.slot];
    if (slot?.link !== link) return;
    slot.loaded = true;
    this.#events.loaded(link);
  }

  #exited(index: number, link: WorkerLink, how: string): void {
    if (this.#draining.delete(link)) {
      this.#events.gone(link, how, true);
      if (this.#stopping) this.#checkEmpty();
      return;
    }
    const slot = this.#slots[index];
    if (slot === undefined || slot.link !== link) return;
    const wasReady = slot.ready;
    Object.assign(slot, { link: null, process: null, loaded: false, ready: false });
    this.#events.gone(link, how, false);
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
    slot.timer = setTimeout(() => this.#slots[index] === slot && this.#fork(index), delayMs);
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

function emptySlot(): Slot {
  return { link: null, process: null, loaded: false, ready: false, deaths: 0, startedMs: 0, timer: null };
}

/** A worker that dies while we speak to it is told of by its exit. */
function noop(): void {}
