/** Records that are passed on together, at the end of the turn in which they came. */
import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { type Endpoint, NOBODY } from '../../../src/endpoint.ts';
import { TcpEndpoint } from '../../../src/tcp_endpoint.ts';
import { streamBytes } from '../../kit/broker.ts';
import { makeAuthority } from '../../kit/certificates.ts';
import { until, within } from '../../kit/condition.ts';
import { untilStill } from '../../kit/still.ts';
import { openTls } from './clients.ts';
import { bindConfig, listenTls } from './tls_server.ts';

interface Passage extends AsyncDisposable {
  readonly client: TLSSocket;
  /** Where everything arrives. */
  readonly far: Socket;
  readonly near: Endpoint;
  /** How many pieces were passed on. */
  pieces(): number;
  ended(): boolean;
  /** The TLS side's bytes are passed on from now. */
  start(): void;
}

async function startPassage(): Promise<Passage> {
  const { bundle } = await (await makeAuthority()).issue({ cn: 'localhost' });
  const opened: Endpoint[] = [];
  const server = await listenTls(bindConfig({ certs: [bundle] }), { serve: endpoint => void opened.push(endpoint) });
  const { client, below } = await openTls(server.port);
  const near = await until(() => opened[0], { what: 'the endpoint' });
  const sink = createServer({ allowHalfOpen: true });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const out = connectTcp({ host: '127.0.0.1', port: (sink.address() as { port: number }).port, allowHalfOpen: true });
  const [far] = (await within(once(sink, 'connection'), { what: 'the far end' })) as [Socket];
  sink.close();
  const to = new TcpEndpoint(out);
  let pieces = 0;
  let ended = false;
  const start = (): void => {
    near.attach({
      ...NOBODY,
      passesOn: true,
      bytes(chunk) {
        pieces += 1;
        if (!to.write(chunk)) near.pause();
      },
      ended() {
        ended = true;
        to.end();
      },
    });
    to.attach({ ...NOBODY, drained: () => near.resume() });
    near.resume();
  };
  return {
    ...{ client, far, near, start },
    pieces: () => pieces,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      for (const socket of [client, below, far, out]) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

function collect(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on('data', chunk => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

test('P1: a stream, messages behind it and FIN arrive whole and in order', async () => {
  await using passage = await startPassage();
  const got = collect(passage.far);
  const sent: Buffer[] = [];
  const say = (bytes: Buffer): void => {
    sent.push(bytes);
    passage.client.write(bytes);
  };
  passage.start();
  for (let round = 0; round < 40; round += 1) {
    say(streamBytes(200_000, round + 1));
    for (const length of [1, 64, 2047, 2048, 5000]) say(streamBytes(length, round + length));
  }
  passage.client.end();
  await within(once(passage.far, 'end'), { what: 'FIN', timeoutMs: 20_000 });
  const all = Buffer.concat(sent);
  expect(got().equals(all)).toBe(true);
  expect(passage.ended()).toBe(true);
  // A record holds 16 KiB at most.
  expect(passage.pieces()).toBeLessThan(all.length / 16_384);
});

test('P10: while the far end does not read nothing is lost, written over or told', async () => {
  await using passage = await startPassage();
  const got = collect(passage.far);
  passage.far.pause();
  passage.start();
  const sent = streamBytes(24_000_000);
  passage.client.write(sent);
  await until(() => passage.client.writableLength > 0 && passage.pieces() > 0, { what: 'a stream that has begun' });
  await untilStill(() => passage.near.bytesIn, 'a stream that stands');
  expect(passage.near.bytesIn).toBeLessThan(sent.length);
  passage.far.resume();
  await until(() => passage.far.bytesRead === sent.length, { what: 'all of it', timeoutMs: 20_000 });
  expect(got().equals(sent)).toBe(true);
});

test('P10: one that has not been resumed yet leaves the bytes to the kernel', async () => {
  await using passage = await startPassage();
  const got = collect(passage.far);
  const sent = streamBytes(24_000_000);
  passage.client.write(sent);
  await until(() => passage.client.writableLength > 0, { what: 'a stream that has begun' });
  await untilStill(() => passage.client.bytesWritten + passage.near.bytesIn, 'a stream that stands');
  expect(passage.near.bytesIn).toBeLessThan(200_000);
  passage.start();
  await until(() => passage.far.bytesRead === sent.length, { what: 'all of it', timeoutMs: 20_000 });
  expect(got().equals(sent)).toBe(true);
});
