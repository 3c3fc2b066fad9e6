import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { VipConfig } from '../config/config.ts';
import { AddressBook } from '../host/address.ts';
import { HookRunner, hookFor } from '../host/hooks.ts';
import { tellFifo } from '../host/notify_fifo.ts';
import { createLog, type Log } from './log.ts';
import { type Orders, pipeDescriptor, stopWord } from './orders.ts';
import { prefer } from './preference.ts';

/** A start of the program takes so long at most. */
const startMs = 10_000;
/** A worker that lived for less is started again more slowly. */
const soonMs = 5_000;
const againMs: readonly number[] = [0, 200, 1_000, 2_000];
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
  readonly finished: Promise<void>;
}

export function startVip(config: VipConfig): RunningVip {
  return new Supervisor(
    config,
    createLog(line => process.stdout.write(line)),
  );
}

/** Takes the addresses off the interface, for whoever finds both processes dead. Resolves with whether they are gone. */
export async function releaseVip(config: VipConfig): Promise<boolean> {
  if (config.notifyFifo !== null) tellFifo(config.notifyFifo, config.name, 'FAULT', config.terms.priority);
  if (config.addressBy === 'hook') return true;
  const book = new AddressBook(config.addresses, config.device);
  const isGone = await book.remove();
  book.close();
  return isGone;
}

/**
 * The parent of the worker. It holds no state that matters, does nothing that can hang, and has one duty: the address of a
 * worker that died, or that gives no sign of life for `dead_after`, is taken off the interface.
 */
class Supervisor implements RunningVip {
  readonly finished: Promise<void>;
  readonly #config: VipConfig;
  readonly #log: Log;
  readonly #book: AddressBook;
  readonly #hooks: HookRunner;
  readonly #watch: NodeJS.Timeout;
  #finish: () => void = () => {};
  #worker: ChildProcess | null = null;
  #startedMs = 0;
  #silentMs = 0;
  readonly #lookEveryMs: number;
  #isUp = false;
  #role = 'starting';
  #highest = 0;
  #failures = 0;
  #isStopping = false;
  #hasToldPreference = false;

  constructor(config: VipConfig, log: Log) {
    this.#config = config;
    this.#log = log;
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
    if (this.#isStopping) return this.finished;
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
    const isHolder = this.#role === 'active' || this.#role === 'leaving';
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
    const { notifyFifo, name, terms, addressBy } = this.#config;
    const isClean = this.#isStopping && this.#role !== 'active';
    if (!isClean && notifyFifo !== null) tellFifo(notifyFifo, name, 'FAULT', terms.priority);
    const isGone = addressBy === 'ip' ? this.#book.remove() : Promise.resolve(true);
    if (this.#isStopping) return void isGone.then(() => this.#end());
    this.#log.error('vip_worker', `the worker has ended (${how}); the address is removed, and it is started again`);
    this.#fault();
    this.#failures = performance.now() - this.#startedMs < soonMs ? this.#failures + 1 : 0;
    const delayMs = againMs[Math.min(this.#failures, againMs.length - 1)] ?? 0;
    void isGone.then(() =>
      setTimeout(() => {
        if (this.#isStopping) void this.#end();
        else this.#start();
      }, delayMs),
    );
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
    clearInterval(this.#watch);
    if (this.#config.addressBy === 'ip') await this.#book.remove();
    this.#book.close();
    await this.#hooks.idle();
    this.#finish();
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
