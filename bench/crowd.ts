/**
 * The conductor's side of `load_message.ts`: all threads open their connections, then all publish, then all close, so
 * that only the publishing is measured.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { within } from '../packages/proxy/test/kit/condition.ts';
import type { MessageLoad, MessageSignal } from './load_message.ts';
import type { Bench } from './measure.ts';

/** The load of all threads together. */
export type LoadSpec = Omit<MessageLoad, 'port' | 'conductor'>;

export interface MessageCrowd {
  /** Resolves when all clients are connected. */
  open(): Promise<void>;
  /** Publishes; resolves when all is written. */
  publish(): Promise<{ messages: number; elapsedS: number }>;
  /** Disconnects all. */
  close(): Promise<void>;
}

const file = new URL('load_message.ts', import.meta.url).href;
const patienceMs = 60_000;

export function startCrowd(bench: Bench, port: number, load: LoadSpec): MessageCrowd {
  const conductors: MessagePort[] = [];
  const tasks = Array.from({ length: bench.threads }, (_, thread): Promise<void> => {
    const { port1, port2 } = new MessageChannel();
    conductors.push(port1);
    const task: MessageLoad = { ...share(load, bench.threads, thread), port, conductor: port2 };
    return bench.pool.run(task, { filename: file, transferList: [port2] });
  });
  const ended = Promise.all(tasks);
  const heard = <K extends MessageSignal['kind']>(kind: K): Promise<Signal<K>[]> =>
    within(Promise.race([Promise.all(conductors.map(conductor => hear(conductor, kind))), failure(ended)]), {
      what: `"${kind}" of the load`,
      timeoutMs: load.seconds * 1000 + patienceMs,
    });
  const say = (signal: MessageSignal): void => {
    for (const conductor of conductors) conductor.postMessage(signal);
  };
  const opened = heard('open');
  return {
    open: async () => void (await opened),
    publish: async () => {
      const sent = heard('sent');
      say({ kind: 'go' });
      return together(await sent);
    },
    close: async () => {
      say({ kind: 'close' });
      await within(ended, { what: 'the end of the load', timeoutMs: patienceMs });
    },
  };
}

type Signal<K extends MessageSignal['kind']> = Extract<MessageSignal, { readonly kind: K }>;

function share(load: LoadSpec, threads: number, thread: number): LoadSpec {
  return {
    ...load,
    prefix: `${load.prefix}-${thread}`,
    connections: Math.ceil(load.connections / threads),
    rate: load.rate === null ? null : load.rate / threads,
  };
}

function hear<K extends MessageSignal['kind']>(conductor: MessagePort, kind: K): Promise<Signal<K>> {
  return new Promise(resolve => {
    const listen = (signal: MessageSignal): void => {
      if (signal.kind !== kind) return;
      conductor.off('message', listen);
      resolve(signal as Signal<K>);
    };
    conductor.on('message', listen);
  });
}

/** Rejects when a thread fails; never resolves. */
async function failure(ended: Promise<unknown>): Promise<never> {
  await ended;
  return new Promise(() => undefined);
}

function together(signals: readonly Signal<'sent'>[]): { messages: number; elapsedS: number } {
  return {
    messages: signals.reduce((sum, signal) => sum + signal.messages, 0),
    elapsedS: Math.max(...signals.map(signal => signal.elapsedS)),
  };
}
