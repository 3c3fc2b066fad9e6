import { expect, test } from 'vitest';
import { connectAll, ids } from '../kit/crowd.ts';
import { kernelSockets } from '../kit/kernel.ts';
import { makeMover, startPaired, watchdogOf } from '../kit/pair.ts';
import { startSink } from '../kit/sink.ts';

const CLIENTS = 600;

/** The address leaves as soon as the file says 1, and nobody can be told any more. */
test('the primary is killed: its clients have been told before the track file says 1', async () => {
  await using mover = await makeMover();
  await using sink = await startSink();
  await using limpet = await startPaired(mover, {
    backends: { brokers: { servers: { b1: `127.0.0.1:${sink.port}` }, check: false } },
  });
  await watchdogOf(limpet.process.pid);
  const port = limpet.port('mqtt');
  await using crowd = await connectAll(port, ids('farewell', CLIENTS));
  expect(crowd.refused).toEqual([]);
  const open = (): number => kernelSockets().filter(({ localPort }) => localPort === port).length;
  expect(open()).toBe(CLIENTS);
  limpet.process.signal('SIGKILL');
  const tookMs = await mover.turned('1');
  expect(open()).toBe(0);
  console.info(`${CLIENTS} sessions: 1 in the file after ${tookMs.toFixed(1)} ms`);
});
