/**
 * The parent's side of the sink.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { until, within } from '../packages/proxy/test/kit/condition.ts';
import type { SinkCounts, SinkMessage, SinkRequest } from './sink.ts';

/** Disposing of it ends the sink. */
export interface Brokers extends AsyncDisposable {
  readonly ports: readonly number[];
  counts(): Promise<SinkCounts>;
  /** Resolves when no more than `open` connections are left, so that the proxies have done all their work. */
  settled(open: number): Promise<void>;
}

export async function startBrokers(count: number): Promise<Brokers> {
  const child = fork(new URL('sink.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
  const first = await ask(child, { listen: count });
  const ports = 'ports' in first ? first.ports : [];
  const counts = async (): Promise<SinkCounts> => {
    const answer = await ask(child, { count: true });
    return 'counts' in answer ? answer.counts : { open: 0, publishes: 0 };
  };
  return {
    ports,
    counts,
    settled: async open => {
      await until(async () => (await counts()).open <= open, {
        what: `all but ${open} connections to end at the sink`,
      });
    },
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function ask(child: ChildProcess, request: SinkRequest): Promise<SinkMessage> {
  const answer = once(child, 'message');
  child.send(request);
  const [message] = await within(answer, { what: 'an answer of the sink' });
  return message as SinkMessage;
}
