import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { refusedExit } from '../beat/bind.ts';
import type { VipConfig } from '../config/config.ts';
import { AddressBook } from '../host/address.ts';
import { HookRunner, hookFor } from '../host/hooks.ts';
import { tellFifo } from '../host/notify_fifo.ts';
import { type InstanceLock, lockInstance } from './lock.ts';
import { createLog, type Log } from './log.ts';
import { type Orders, pipeDescriptor, stopWord } from './orders.ts';
import { prefer } from './preference.ts';

/** A start of the program takes so long at most. */
const startMs = 10_000;
/** A worker that lived for less is started again more slowly. */
const soonMs = 5_000;
const againMs: readonly number[] = [0, 100, 200, 500, 1_000, 2_000, 5_000];
/** Of the worker's end when it was told to; then it is killed. */
const stopMs = 5_000;
/** One that holds nothing may be slow: it harms nobody. */
const patientMs = 2_000;

/** The running pair's host. Whoever started it stops it. */
export interface RunningVip {
  /** Lets go of the address, so that the other host takes it at once. May be called twice. */
  stop(): Promise<void>;
  /** Ends now: the worker is killed, the address removed. */
  kill(): void;
  /** Whether the address is off this host, and it could begin. */
  readonly finished: Promise<boolean>;
}

/** Null: another instance with this name, or one of these addresses, runs on this host; nothing was touched. */
export async function startVip(config: VipConfig): Promise<RunningVip | null> {
  const lock = await lockInstance(config);
  if (lock === null) return null;
  const log = createLog(line => process.stdout.write(line));
  return new Supervisor(config, log, lock);
}

/**
 * The parent of the worker. It holds no state that matters, does nothing that can hang, and has one duty: the address of a
 * worker that died, or that gives no sign of life for `dead_after`, is taken off the interface.
 */
class Supervisor implements RunningVip {
  readonly finished: Promise<boolean>;
  readonly #config: VipConfig;
  readonly #log: Log;
  readonly #lock: InstanceLock;
  readonly #book: AddressBook;
  readonly #hooks: HookRunner;
  readonly #watch: NodeJS.Timeout;
  #finish: (isGone: boolean) => void = () => {};
  #worker: ChildProcess | null = null;
  #startedMs = 0;
  #silentMs = 0;
  readonly #lookEveryMs: number;
  #isUp = false;
  /** A worker of ours has been up. */
  #hasBegun = false;
  #role = 'starting';
  #highest = 0;
  #failures = 0;
  #isStopping = false;
  #hasToldPreference = false;

  constructor(config: VipConfig, log: Log, lock: InstanceLock) {
    this.#config = config;
    this.#log = log;
    this.#lock = lock;
    this.#book = new AddressBook(config.addresses, config.device);
    this.#hooks = new HookRunner(config.hooks);
    this.finished = new Promise(resolve => {
      this.#finish = resolve;
    });
    // A beat that waits in the pipe is read before the second look.
    this.#lookEveryMs = Math.max(config.terms.deadMs / 6, 5);
    this.#watch = setInterval(() => setImmediate(() => this.#look()), this.#lookEveryMs);
    void prefer(process.pid, config.isRealtime);
    this.#start();
  }

  async stop(): Promise<void> {
    if (this.#isStopping) return void (await this.finished);
    this.#isStopping = true;
    this.#pipe()?.write(`${stopWord}\n`);
    if (this.#worker === null) await this.#end();
    const timer = setTimeout(() => this.kill(), stopMs);
    await this.finished;
    clearTimeout(timer);
  }

  kill(): void {
    this.#isStopping = true;
    this.#worker?.kill('SIGKILL');
  }

  #start(): void {
    const main = fileURLToPath(new URL(`./worker_main${extname(import.meta.url)}`, import.meta.url));
    const worker = spawn(process.execPath, [...process.execArgv, main], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#worker = worker;
    this.#startedMs = performance.now();
    this.#silentMs = 0;
    this.#isUp = false;
    this.#role = 'starting';
    worker.once('error', error => this.#log.error('vip_worker', `the worker cannot be started: ${error.message}`));
    worker.once('exit', (code, signal) => this.#ended(worker, `${signal ?? code}`));
    const pipe = this.#pipe();
    pipe?.on('error', () => undefined);
    pipe?.setEncoding('latin1').on('data', (text: string) => this.#hear(text));
    void this.#prefer(worker.pid);
    const orders: Orders = { config: this.#config, highest: this.#highest };
    pipe?.write(`${JSON.stringify(orders)}\n`);
  }

  async #prefer(pid: number | undefined): Promise<void> {
    if (pid === undefined || (await prefer(pid, this.#config.isRealtime)) || this.#hasToldPreference) return;
    this.#hasToldPreference = true;
    this.#log.warn(
      'vip_preference',
      'no preference by the kernel (CAP_SYS_NICE): on a busy host heartbeats may be late',
    );
  }

  #pipe(): Duplex | null {
    return (this.#worker?.stdio[pipeDescriptor] as Duplex | undefined) ?? null;
  }

  #hear(text: string): void {
    this.#isUp = true;
    this.#hasBegun = true;
    this.#silentMs = 0;
    const line = text.trimEnd().split('\n').at(-1) ?? '';
    const [role, fence] = line.split(' ');
    this.#role = role ?? '';
    this.#highest = Math.max(this.#highest, Number(fence) || 0);
  }

  /** Counts looks, not time: a host that stood still has kept both of us from running. */
  #look(): void {
    if (this.#worker === null) return;
    const { deadMs, leaseMs } = this.#config.terms;
    this.#silentMs += this.#lookEveryMs;
    const isHolder = this.#isHolder;
    const limitMs = this.#isUp ? (isHolder ? deadMs : Math.max(deadMs * 5, patientMs)) : startMs;
    if (this.#silentMs <= limitMs) return;
    // One that wants to run and gets no processor is given a lease: killing it would help nobody.
    if (isHolder && this.#silentMs <= leaseMs && isBusy(this.#worker.pid)) return;
    this.#log.error(
      'vip_worker',
      `the worker gives no sign of life for ${Math.round(this.#silentMs)} ms: it is killed`,
    );
    const worker = this.#worker;
    this.#ended(worker, 'it hung');
    worker.kill('SIGKILL');
  }

  /** First the proxy, then the address, then everything else. */
  #ended(worker: ChildProcess, how: string): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    // It has touched nothing, and says why itself.
    if (how === String(refusedExit) && !this.#hasBegun) return void this.#close(false);
    const { notifyFifo, name, terms, addressBy } = this.#config;
    const isClean = this.#isStopping && !this.#isHolder;
    if (!isClean && notifyFifo !== null) tellFifo(notifyFifo, name, 'FAULT', terms.priority);
    const removed = addressBy === 'ip' ? this.#book.remove() : Promise.resolve(true);
    if (this.#isStopping) return void removed.then(() => this.#end());
    this.#log.error('vip_worker', `the worker has ended (${how}); it is started again, without the address`);
    this.#fault();
    this.#failures = performance.now() - this.#startedMs < soonMs ? this.#failures + 1 : 0;
    const delayMs = againMs[Math.min(this.#failures, againMs.length - 1)] ?? 0;
    void removed.then(isGone => {
      // The next worker goes on with that before it does anything else.
      if (!isGone) this.#stuck();
      setTimeout(() => {
        if (this.#isStopping) void this.#end();
        else this.#start();
      }, delayMs);
    });
  }

  #fault(): void {
    const { hooks, name, addresses, device } = this.#config;
    const hook = hookFor(hooks, 'FAULT');
    if (hook === null) return;
    const list = addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(' ');
    const facts = { NAME: name, ADDRESSES: list, INTERFACE: device, FENCE: String(this.#highest), STATE: 'FAULT' };
    void this.#hooks.run(hook, facts);
  }

  async #end(): Promise<void> {
    const isGone = this.#config.addressBy === 'hook' || (await this.#book.remove());
    if (!isGone) this.#stuck();
    await this.#hooks.idle();
    this.#close(isGone);
  }

  #close(isGood: boolean): void {
    clearInterval(this.#watch);
    this.#book.close();
    this.#lock.unlock();
    this.#finish(isGood);
  }

  #stuck(): void {
    this.#log.error(
      'vip_address',
      `the address cannot be removed from ${this.#config.device}: it is still on this host`,
    );
  }

  /** The worker, by its last word, has the address on this host. */
  get #isHolder(): boolean {
    return this.#role === 'active' || this.#role === 'leaving';
  }
}

/** Whether it waits for a processor (state R), or for the kernel, as while it starts a program (state D). */
function isBusy(pid: number | undefined): boolean {
  try {
    return /^\d+ \(.*\) [RD] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
