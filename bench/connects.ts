/**
 * The load `connect`: CONNECT, CONNACK, DISCONNECT, over and over (`load/connect.c`).
 */
import { LoadProgram, type Lost, type Transport } from './load.ts';

export interface ConnectLoad {
  readonly port: number;
  readonly transport: Transport;
  /** Client ids are `PREFIX-NUMBER`, from 0. At most 24 characters. */
  readonly prefix: string;
  /** Ids are used again after so many; null: every connection has a new one. */
  readonly ids: number | null;
  readonly seconds: number;
  /** Clients at a time; with a rate: at most so many. */
  readonly concurrency: number;
  /** Connections a second, whatever becomes of them; null: each client comes again when it is done (closed loop). */
  readonly rate: number | null;
}

export interface ConnectResult {
  readonly accepted: number;
  readonly elapsedUs: number;
  /** Longest time between two CONNACKs. */
  readonly gapUs: number;
  /** From the beginning of a connection to its CONNACK. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly fullHandshakes: number;
  readonly resumedHandshakes: number;
  readonly lost: Lost;
  /** Its own. */
  readonly cpuUs: number;
}

/** Each source address has its own ephemeral ports, so that those in TIME_WAIT are never missed. */
const sources = 64;
/** A client that gets no answer is given up after 10 s. */
const endMs = 25_000;

export async function runConnects(load: ConnectLoad): Promise<ConnectResult> {
  const { port, transport, prefix, ids, seconds, concurrency, rate } = load;
  const options = { port, transport, prefix, ids: ids ?? 0, seconds, concurrency, rate: rate ?? 0, sources };
  await using program = new LoadProgram('connect', options, seconds + 2 * (endMs / 1000));
  const result = await program.answer<Omit<ConnectResult, 'cpuUs'>>('connected', seconds * 1000 + endMs);
  return { ...result, cpuUs: program.cpuUs() };
}
