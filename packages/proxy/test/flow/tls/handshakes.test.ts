import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { HandshakeGate } from '../../../src/tls/handshake_gate.ts';
import { type Issued, makeAuthority } from '../../kit/certificates.ts';
import { until, within } from '../../kit/condition.ts';
import { connectRaw, type RawSocket } from '../../kit/raw_socket.ts';
import { visit } from './clients.ts';
import { bindConfig, listenTls, type TlsServer, type TlsServerOptions } from './tls_server.ts';

interface Scene extends AsyncDisposable {
  readonly issued: Issued;
  readonly server: TlsServer;
  /** The bytes of a real ClientHello. */
  readonly hello: Buffer;
}

async function makeScene(options: TlsServerOptions = {}): Promise<Scene> {
  const authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'localhost', key: 'rsa' });
  const server = await listenTls(bindConfig({ certs: [issued.bundle] }), options);
  return {
    issued,
    server,
    hello: await realHello(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

/** What Node says first, caught by a listener that answers nothing. */
async function realHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const caught = new Promise<Buffer>(resolve => server.once('connection', socket => socket.once('data', resolve)));
  const client = connect({ port, host: '127.0.0.1' });
  client.on('error', () => {});
  const hello = await within(caught, { what: 'a ClientHello' });
  client.destroy();
  server.close();
  return hello;
}

async function many(port: number, count: number, first: Buffer): Promise<readonly RawSocket[]> {
  const sockets: RawSocket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = await connectRaw(port);
    if (first.length > 0) await socket.write(first);
    sockets.push(socket);
  }
  return sockets;
}

const disposeAll = (sockets: readonly RawSocket[]): void => {
  for (const socket of sockets) socket[Symbol.dispose]();
};

describe('P7: half-open handshakes', () => {
  test.each([
    ['that say nothing', 0],
    ['that stop in the middle of the ClientHello', 40],
  ])('300 %s keep nobody waiting', async (_what, bytes) => {
    const gate = new HandshakeGate({ most: 4, queue: 10 });
    await using scene = await makeScene({ gate });
    const sockets = await many(scene.server.port, 300, scene.hello.subarray(0, bytes));
    // Not one of them holds a place.
    expect(gate.counts).toEqual({ inside: 0, waiting: 0 });
    for (let count = 0; count < 5; count += 1) {
      expect(await visit(scene.server.port)).toMatchObject({ kind: 'echoed' });
    }
    disposeAll(sockets);
  });

  test('300 that stop after the ClientHello give their places up, and a good one gets in', async () => {
    const gate = new HandshakeGate({ most: 4, queue: 1000 });
    await using scene = await makeScene({ gate });
    const sockets = await many(scene.server.port, 300, scene.hello);
    const startMs = performance.now();
    expect(await visit(scene.server.port)).toMatchObject({ kind: 'echoed' });
    expect(performance.now() - startMs).toBeLessThan(6000);
    await until(() => gate.counts.inside + gate.counts.waiting === 0, { what: 'that nobody holds a place' });
    // All of them were answered, and are still there.
    expect([sockets.every(({ bytesIn }) => bytesIn > 0), scene.server.failures()]).toEqual([true, []]);
    disposeAll(sockets);
  });

  test('each ends at its deadline, counted from accept; bytes that trickle do not move it', async () => {
    await using scene = await makeScene({ handshakeMs: 400 });
    const [silent, trickling, stalled] = [
      await connectRaw(scene.server.port),
      await connectRaw(scene.server.port),
      await connectRaw(scene.server.port),
    ];
    await stalled.write(scene.hello);
    let sent = 0;
    const timer = setInterval(() => {
      if (!trickling.isClosed) trickling.socket.write(scene.hello.subarray(sent, sent + 1));
      sent += 1;
    }, 20);
    const startMs = performance.now();
    await within(Promise.all([silent.closed, trickling.closed, stalled.closed]), { what: 'the end of all three' });
    clearInterval(timer);
    expect(performance.now() - startMs).toBeLessThan(3000);
    expect(scene.server.failures()).toEqual(
      Array.from({ length: 3 }, () => ({ reason: 'handshake_timeout', detail: 'the client was too slow' })),
    );
    expect(scene.server.pool.usedBytes).toBe(0);
  });

  test('beyond the queue they are closed at once, and it is said', async () => {
    const gate = new HandshakeGate({ most: 2, queue: 3 });
    await using scene = await makeScene({ gate });
    const places = Array.from({ length: 4 }, () => ({ begin() {} }));
    for (const place of places) gate.enter(place);
    const sockets = await many(scene.server.port, 3, scene.hello);
    await until(() => scene.server.failures().length === 2, { what: 'two that were turned away' });
    expect(scene.server.failures().map(({ reason }) => reason)).toEqual([
      'handshake_queue_full',
      'handshake_queue_full',
    ]);
    expect(gate.counts).toEqual({ inside: 2, waiting: 3 });
    for (const place of places) gate.leave(place);
    expect((await sockets[0]?.waitForBytes(6))?.[5]).toBe(2);
    disposeAll(sockets);
    await until(() => gate.counts.inside + gate.counts.waiting === 0, { what: 'an empty gate' });
  });

  test('a ClientHello in pieces, in any records, and behind bytes that were put back, is understood', async () => {
    await using scene = await makeScene({ peek: true });
    for (const at of [1, 4, 5, 6, 100]) {
      const socket = await connectRaw(scene.server.port);
      await socket.write(scene.hello.subarray(0, at));
      await until(() => scene.server.pool.usedBytes > 0, { what: 'its first bytes' });
      await socket.write(scene.hello.subarray(at));
      const answer = await socket.waitForBytes(6);
      // A handshake record with a ServerHello.
      expect([answer[0], answer[5]]).toEqual([22, 2]);
      socket[Symbol.dispose]();
      await until(() => scene.server.pool.usedBytes === 0, { what: 'its memory back' });
    }
    using split = await connectRaw(scene.server.port);
    const body = scene.hello.subarray(5);
    const record = (part: Buffer): Buffer =>
      Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);
    await split.write(
      Buffer.concat([record(body.subarray(0, 3)), record(body.subarray(3, 50)), record(body.subarray(50))]),
    );
    expect((await split.waitForBytes(6))[5]).toBe(2);
    expect(await visit(scene.server.port)).toMatchObject({ kind: 'echoed' });
  });

  test('memory for unfinished ones is bounded: who holds the most goes', async () => {
    await using scene = await makeScene({ poolBytes: 40_000 });
    const big = Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0x00]), randomBytes(15_000)]);
    big.set([1, 0, 0x7f, 0], 5);
    const sockets = await many(scene.server.port, 6, big);
    await until(() => scene.server.failures().filter(({ reason }) => reason === 'memory').length >= 4, {
      what: 'those for whom there was no room',
    });
    expect(scene.server.pool.usedBytes).toBeLessThanOrEqual(40_000);
    expect(await visit(scene.server.port)).toMatchObject({ kind: 'echoed' });
    disposeAll(sockets);
  });

  test('port checks are silent; clients that give up are told apart', async () => {
    await using scene = await makeScene();
    const check = await connectRaw(scene.server.port);
    check.end();
    await until(() => scene.server.failures().length === 1, { what: 'the port check' });
    const early = await connectRaw(scene.server.port);
    await early.write(scene.hello.subarray(0, 20));
    await until(() => scene.server.pool.usedBytes > 0, { what: 'its bytes' });
    early.reset();
    await until(() => scene.server.failures().length === 2, { what: 'the one that gave up' });
    const later = await connectRaw(scene.server.port);
    await later.write(scene.hello);
    await later.waitForBytes(100);
    later.reset();
    await until(() => scene.server.failures().length === 3, { what: 'the one that gave up later' });
    expect(scene.server.failures().map(({ reason }) => reason)).toEqual(['silent', 'closed', 'closed']);
    disposeAll([check, early, later]);
    await until(() => scene.server.open === 0, { what: 'no socket left open' });
  });
});

test('P10: a storm of handshakes leaves the event loop to those who are served', async () => {
  const gate = new HandshakeGate({ most: 300, queue: 300 });
  await using scene = await makeScene({ gate });
  const places = Array.from({ length: 300 }, () => ({ begin() {} }));
  for (const place of places) gate.enter(place);
  const sockets = await many(scene.server.port, 300, scene.hello);
  await until(() => gate.counts.waiting === 300, { what: 'three hundred that wait' });
  let longestMs = 0;
  let lastMs = performance.now();
  let isOver = false;
  const turn = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(turn);
  };
  turn();
  const startMs = performance.now();
  for (const place of places) gate.leave(place);
  await until(() => sockets.every(({ bytesIn }) => bytesIn > 0), { what: 'an answer to all 300', timeoutMs: 25_000 });
  const allMs = performance.now() - startMs;
  isOver = true;
  // In one go no turn of the event loop would end before all of them are answered.
  expect(longestMs).toBeLessThan(allMs / 3);
  disposeAll(sockets);
});
