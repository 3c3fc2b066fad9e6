/**
 * The brokers: a process of the load program that accepts, counts and swallows (`load/sink.c`).
 */
import { until } from '../packages/proxy/test/kit/condition.ts';
import { LoadProgram } from './load.ts';

/** What the brokers have seen so far. */
export interface BrokerCounts {
  /** Connections that are open now. */
  readonly open: number;
  readonly accepted: number;
  readonly publishes: number;
  /** Of all PUBLISH packets. */
  readonly bytes: number;
  /** PUBLISHes that did not come in the order in which their client had numbered them. */
  readonly disorder: number;
}

/** Disposing of them ends them. */
export interface Brokers extends AsyncDisposable {
  /** Each speaks plain MQTT and WebSocket, by a connection's first byte. */
  readonly ports: readonly number[];
  counts(): Promise<BrokerCounts>;
  /** Resolves when no more than `open` connections are left, so that the proxies have done all their work. */
  settled(open: number): Promise<void>;
  cpuUs(): number;
}

const answerMs = 30_000;
const settleMs = 30_000;
/** The longest that a benchmark takes. */
const limitS = 4 * 3600;

export async function startBrokers(count: number): Promise<Brokers> {
  const program = new LoadProgram('sink', { ports: count }, limitS);
  const { ports } = await program.answer<{ ports: number[] }>('ports', answerMs);
  const counts = async (): Promise<BrokerCounts> => {
    program.say('counts');
    return program.answer<BrokerCounts>('counts', answerMs);
  };
  return {
    ports,
    counts,
    settled: async open => {
      let last = Number.NaN;
      const isSettled = async (): Promise<boolean> => {
        last = (await counts()).open;
        return last <= open;
      };
      await until(isSettled, {
        what: `all but ${open} connections to end at the brokers`,
        timeoutMs: settleMs,
        seen: () => `${last} are open`,
      });
    },
    cpuUs: () => program.cpuUs(),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
