import { connect } from 'node:net';
import { errorCode } from '@limpet/proxy';
import type { BrokerAnswer } from '../judge/brokers.ts';
import type { BrokerLoad } from '../load.ts';

const PATIENCE_MS = 2_000;
const AT_ONCE = 16;

/** Connects to each once, a few at a time, and says nothing to it. */
export async function readBrokers(brokers: readonly BrokerLoad[]): Promise<readonly BrokerAnswer[]> {
  const answers: BrokerAnswer[] = [];
  const left = brokers.entries();
  const asker = async (): Promise<void> => {
    for (const [at, broker] of left) answers[at] = await ask(broker);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, asker));
  return answers;
}

function ask({ name, host, port }: BrokerLoad): Promise<BrokerAnswer> {
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const startMs = performance.now();
  return new Promise(resolve => {
    const socket = connect({ host, port });
    const end = (trouble: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ name, place, trouble, ms: performance.now() - startMs });
    };
    // The look-up of a name counts too.
    const timer = setTimeout(() => end('timeout'), PATIENCE_MS);
    socket.once('connect', () => end(null));
    socket.once('error', error => end(errorCode(error)));
  });
}
