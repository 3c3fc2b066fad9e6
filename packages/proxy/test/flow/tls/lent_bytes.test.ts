/** What is written to TLS may be written over as soon as write() has returned: on this Node, whatever waits to be written. */
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../../src/endpoint.ts';
import { lend } from '../../../src/lent_bytes.ts';
import { streamBytes } from '../../kit/broker.ts';
import { makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { openTls } from './clients.ts';
import { bindConfig, listenTls } from './tls_server.ts';

const CHUNK_BYTES = 64 * 1024;
const memory = Buffer.allocUnsafeSlow(CHUNK_BYTES);

interface Line extends AsyncDisposable {
  readonly client: TLSSocket;
  readonly endpoint: Endpoint;
  /** What the endpoint is made of. */
  readonly socket: TLSSocket;
  /** All that the client has got. */
  got(): Buffer;
}

async function makeLine(): Promise<Line> {
  const authority = await makeAuthority();
  const { bundle } = await authority.issue({ cn: 'localhost' });
  const opened: Endpoint[] = [];
  const server = await listenTls(bindConfig({ certs: [bundle] }), { serve: endpoint => void opened.push(endpoint) });
  const { client, below } = await openTls(server.port);
  const chunks: Buffer[] = [];
  client.on('data', chunk => chunks.push(chunk));
  const endpoint = await until(() => opened[0], { what: 'the endpoint' });
  const [accepted] = server.accepted;
  if (accepted?.kind !== 'open') throw new Error('there is no TLS socket');
  return {
    ...{ client, endpoint, socket: accepted.socket },
    got: () => Buffer.concat(chunks),
    async [Symbol.asyncDispose]() {
      for (const socket of [client, below]) socket.destroy();
      await server[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

/** Writes a copy of these bytes that is lent, and writes over it. */
function writeLent(endpoint: Endpoint, bytes: Buffer): boolean {
  let hasRoom = false;
  bytes.copy(memory);
  lend(memory, 0, bytes.length, { bytes: chunk => (hasRoom = endpoint.write(chunk)) });
  memory.fill(0);
  return hasRoom;
}

test('P1: each chunk when the one before has gone', async () => {
  await using line = await makeLine();
  const sent = streamBytes(40 * CHUNK_BYTES);
  for (let at = 0; at < sent.length; at += CHUNK_BYTES) {
    if (!writeLent(line.endpoint, sent.subarray(at, at + CHUNK_BYTES))) {
      await until(() => line.got().length === at + CHUNK_BYTES, { what: 'a chunk' });
    }
  }
  expect(line.got().equals(sent)).toBe(true);
});

test('P1: one behind the other, while the client reads nothing', async () => {
  await using line = await makeLine();
  line.client.pause();
  const sent = streamBytes(200 * CHUNK_BYTES);
  for (let at = 0; at < sent.length; at += CHUNK_BYTES) writeLent(line.endpoint, sent.subarray(at, at + CHUNK_BYTES));
  line.client.resume();
  await until(() => line.got().length === sent.length, { what: 'all of it', timeoutMs: 20_000 });
  expect(line.got().equals(sent)).toBe(true);
});

test('P1: right behind the end of the client, about which the kernel is asked by writing nothing', async () => {
  await using line = await makeLine();
  const sent = streamBytes(CHUNK_BYTES);
  // The endpoint has listened before.
  line.socket.once('end', () => writeLent(line.endpoint, sent));
  line.endpoint.resume();
  line.client.end();
  await until(() => line.got().length === sent.length, { what: 'all of it' });
  expect(line.got().equals(sent)).toBe(true);
});
