/**
 * The load `crowd`: open connections, through which messages and bulk go (`load/crowd.c`).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProgram, type Lost, lossesOf, type Transport } from './load.ts';

export interface CrowdLoad {
  readonly port: number;
  readonly transport: Transport;
  /** Client ids are `PREFIX-NUMBER`, from 0. At most 24 characters. */
  readonly prefix: string;
  readonly connections: number;
  /** Source addresses; 0: 127.0.0.1, which has some 28,000 ports. */
  readonly sources?: number;
  /** How old the youngest is when open() resolves. Default 0. */
  readonly ageMs?: number;
}

/**
 * The age of connections whose messages are measured: those of a day's work are old, and in their first second Limpet's event
 * loop moves them itself.
 */
export const matureMs = 2_000;

/** Messages of 64 bytes of payload, each connection in its turn. */
export interface Publishing {
  /** A second, through all connections together, evenly; null: as many as the connections take, with `echo` one at a time. */
  readonly rate: number | null;
  readonly seconds: number;
  /** Messages in one write; more than one only where `rate` is null. */
  readonly batch: number;
  /** The brokers send each one back: `p50Us` and `p99Us` are of the way there and back. */
  readonly echo: boolean;
}

export interface CrowdResult {
  /** PUBLISHes sent and received. */
  readonly messages: number;
  readonly received: number;
  readonly disorder: number;
  /** From the first byte until everything was acknowledged end to end, by a PINGRESP on each connection. */
  readonly elapsedUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly lost: Lost;
}

const openMs = 60_000;
const workMs = 120_000;
/** The longest that a crowd lives. */
const limitS = 600;

/** Disposing of it ends it; without close() its connections are reset. */
export class Crowd implements AsyncDisposable {
  readonly #program: LoadProgram;

  private constructor(program: LoadProgram) {
    this.#program = program;
  }

  /** Resolves when all are connected. @throws Error where one was not */
  static async open(load: CrowdLoad): Promise<Crowd> {
    const { port, transport, prefix, connections, sources = 0, ageMs = 0 } = load;
    const program = new LoadProgram('crowd', { port, transport, prefix, connections, sources }, limitS);
    try {
      const { lost } = await program.answer<{ lost: Lost }>('open', openMs);
      const losses = lossesOf(lost);
      if (losses.length > 0) throw new Error(`not all ${connections} clients were accepted: ${losses.join(', ')}`);
      await delay(ageMs);
      return new Crowd(program);
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  async publish({ rate, seconds, batch, echo }: Publishing): Promise<CrowdResult> {
    return this.#work(`publish ${rate ?? 0} ${seconds} ${batch} ${echo ? 'e' : 't'}`, seconds * 1000);
  }

  /** Bytes of whole 64 KB packets, through all connections alike; `messages` says how many packets they were. */
  async upload(bytes: number): Promise<CrowdResult> {
    return this.#work(`upload ${bytes}`, 0);
  }

  /** The same from the brokers; `received` says how many packets they were. */
  async download(bytes: number): Promise<CrowdResult> {
    return this.#work(`download ${bytes}`, 0);
  }

  /** Disconnects all in order; answers what was lost since the last answer. */
  async close(): Promise<Lost> {
    this.#program.say('close');
    return (await this.#program.answer<{ lost: Lost }>('closed', openMs)).lost;
  }

  cpuUs(): number {
    return this.#program.cpuUs();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }

  async #work(words: string, loadMs: number): Promise<CrowdResult> {
    this.#program.say(words);
    return this.#program.answer<CrowdResult>('done', loadMs + workMs);
  }
}
