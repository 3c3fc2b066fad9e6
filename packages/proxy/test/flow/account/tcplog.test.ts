import { expect, test } from 'vitest';
import { accepts, type Script, type ScriptedBroker, startBroker } from '../../kit/broker.ts';
import { acceptedRaw, connectFor } from '../../kit/connects.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { startHaproxy } from '../../kit/haproxy.ts';
import { runLimpet } from '../../kit/limpet.ts';
import { freePort } from '../../kit/port.ts';
import type { Process } from '../../kit/process.ts';
import { connectRaw } from '../../kit/raw_socket.ts';

/** Accepts, and ends when its client does. */
const script: Script = (peer, number) => {
  accepts()(peer, number);
  peer.socket.on('end', () => peer.end());
};

/** One session that ends in order, and one at a frontend that has no server. */
async function visit(port: number, deadPort: number): Promise<void> {
  using client = await acceptedRaw(port, { clientId: 'device' });
  client.end();
  await client.waitForEnd();
  using refused = await connectRaw(deadPort);
  await refused.write(connectFor({ clientId: 'device' }));
  await refused.waitForEnd();
}

/** HAProxy's lines of the two sessions. */
async function haproxyLines(broker: ScriptedBroker): Promise<string[]> {
  const deadPort = await freePort();
  await using haproxy = await startHaproxy(
    port => `defaults
  mode tcp
  log global
  option tcplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend mqtt
  bind 127.0.0.1:${port}
  default_backend emqx
frontend dead
  bind 127.0.0.1:${deadPort}
  default_backend none
backend emqx
  server emqx1 127.0.0.1:${broker.port}
backend none
  server emqx1 127.0.0.1:${broker.port} disabled`,
  );
  await visit(haproxy.port, deadPort);
  return sessionLines(haproxy.process);
}

/** Ours. */
async function limpetLines(broker: ScriptedBroker): Promise<string[]> {
  const closed = await freePort();
  const config = {
    global: { workers: 1, log: { format: 'tcplog' } },
    frontends: {
      mqtt: { bind: ['127.0.0.1:0'], default_backend: 'emqx' },
      dead: { bind: ['127.0.0.1:0'], default_backend: 'none' },
    },
    backends: {
      emqx: { check: false, servers: { emqx1: `127.0.0.1:${broker.port}` } },
      none: { check: false, servers: { emqx1: `127.0.0.1:${closed}` } },
    },
  };
  await using directory = await makeDirectory('limpet');
  await using limpet = runLimpet(['run', '-c', directory.write('limpet.yaml', JSON.stringify(config))]);
  await limpet.waitForLine(/^info ready/, 20_000);
  const [, port] = await limpet.waitForLine(/^info listening frontend="mqtt" .*port=(\d+)/);
  const [, deadPort] = await limpet.waitForLine(/^info listening frontend="dead" .*port=(\d+)/);
  await visit(Number(port), Number(deadPort));
  return sessionLines(limpet);
}

async function sessionLines(process: Process): Promise<string[]> {
  const lines = (): string[] => process.lines.map(({ text }) => text).filter(text => text.startsWith('127.0.0.1:'));
  await process.waitUntil('two lines of sessions', () => lines().length >= 2);
  return lines();
}

/** The line with all numbers, and all months, made the same. */
function shape(line: string | undefined): string {
  return (line ?? '').replaceAll(/-?\d+/g, '0').replace(/\/[A-Z][a-z]{2}\//, '/Mon/');
}

test('tcplog: our lines have the shape of HAProxy’s own, field by field', async () => {
  await using broker = await startBroker(script);
  const [theirs, ours] = await Promise.all([haproxyLines(broker), limpetLines(broker)]);
  expect(ours.map(shape)).toEqual(theirs.map(shape));
  expect(ours.map(line => line.split(' ')[6])).toEqual(['--', 'SC']);
  // The same bytes went to the client: a CONNACK of four.
  expect([ours[0], theirs[0]].map(line => line?.split(' ')[5])).toEqual(['4', '4']);
});
