import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { connectClient } from '../../kit/clients.ts';
import { until, within } from '../../kit/condition.ts';
import { startMosquitto } from '../../kit/mosquitto.ts';
import { echo, type Serving, serveWebSocket, toPlain, toWebSocket } from './serve.ts';

const TOTAL_BYTES = 5 * 1024 * 1024;
/** 1 byte to 1 MiB, around every border of a length. */
const SIZES = [1, 2, 3, 125, 126, 127, 1000, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000, 1_048_576];

/** The same for every run, and different at every place. */
function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let seed = 42;
  for (let at = 0; at < length; at += 1) {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[at] = seed >>> 16;
  }
  return bytes;
}

/** Pieces of these sizes, in turn, until the bytes are used up; beginning with many of one byte. */
function pieces(bytes: Buffer): Buffer[] {
  const cut: Buffer[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = index < 5000 ? 1 : (SIZES[index % SIZES.length] ?? 1);
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

async function connect(port: number, path = '/mqtt'): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['mqtt']);
  onTestFinished(() => client.terminate());
  await within(once(client, 'open'), { what: 'an open WebSocket' });
  return client;
}

/** Sends as messages of three fragments with Pings between, and waits when the socket is full. */
async function sendAll(client: WebSocket, bytes: Buffer): Promise<void> {
  for (const [index, piece] of pieces(bytes).entries()) {
    const isLast = index % 3 === 2;
    const sent = new Promise<void>(resolve => client.send(piece, { fin: isLast, binary: true }, () => resolve()));
    if (client.bufferedAmount > 256 * 1024) await sent;
    // Not after every small one: ws as a server ends a client whose Pings it cannot answer as fast as they come.
    if (index % 500 === 0 || index > 5000) client.ping(Buffer.from(`${index}`));
  }
  client.send(Buffer.alloc(0), { fin: true });
}

/** 5 MB there and back, byte-equal. */
async function exchange(client: WebSocket): Promise<void> {
  const bytes = pattern(TOTAL_BYTES);
  const got: Buffer[] = [];
  let gotBytes = 0;
  let pongs = 0;
  client.on('message', (message: Buffer, isBinary) => {
    if (!isBinary) throw new Error('a text message');
    got.push(message);
    gotBytes += message.length;
  });
  client.on('pong', () => {
    pongs += 1;
  });
  await sendAll(client, bytes);
  const seen = () => `${gotBytes} bytes`;
  await until(() => gotBytes >= TOTAL_BYTES, { what: `${TOTAL_BYTES} bytes back`, timeoutMs: 20_000, seen });
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
  expect(pongs).toBeGreaterThan(10);
}

async function serving(made: Promise<Serving>): Promise<Serving> {
  const server = await made;
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A plain server that echoes. */
async function plainEcho(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('P1: 5 MB each way in fragments of 1 byte to 1 MiB, with Pings between, byte-equal', () => {
  test('unwrapped and wrapped by the endpoint', async () => {
    const server = await serving(serveWebSocket(echo));
    const client = await connect(server.port);
    expect(client.extensions).toBe('');
    expect(client.protocol).toBe('mqtt');
    await exchange(client);
  });

  test('relayed to a plain server', async () => {
    const server = await serving(serveWebSocket(toPlain(await plainEcho())));
    await exchange(await connect(server.port));
  });

  test('as frames to a server of WebSockets, which sees the client’s own upgrade', async () => {
    const broker = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/own' });
    onTestFinished(() => broker.close());
    await once(broker, 'listening');
    const seen: (string | string[] | undefined)[] = [];
    let pings = 0;
    broker.on('connection', (socket, request) => {
      seen.push(request.url, request.headers['x-forwarded-for'], request.headers['x-forwarded-proto']);
      socket.on('message', message => socket.send(message as Buffer));
      socket.on('ping', () => {
        pings += 1;
      });
    });
    const address = broker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const server = await serving(serveWebSocket(toWebSocket(port, '/own')));
    const client = await connect(server.port, '/mqtt?token=t');
    await exchange(client);
    expect(pings).toBeGreaterThan(10);
    expect(seen).toEqual(['/own?token=t', '192.0.2.7', 'https']);
    const closed = once(client, 'close');
    client.close(3001, 'bye');
    expect((await within(closed, { what: 'the answer to a Close' }))[0]).toBe(3001);
    await until(() => server.sockets.size === 0, { what: 'the end of the connection' });
  });
});

describe('clients of MQTT over WebSocket', () => {
  test('publish and receive through a plain broker', async () => {
    await using mosquitto = await startMosquitto();
    const server = await serving(serveWebSocket(toPlain(mosquitto.port)));
    for (const protocolVersion of [3, 4, 5] as const) {
      const clientId = `ws-${protocolVersion}`;
      const mqtt = { protocol: 'ws', path: '/mqtt' } as const;
      await using client = await connectClient(server.port, { clientId, protocolVersion, mqtt });
      const came = new Promise<Buffer>(resolve => client.mqtt.once('message', (_topic, payload) => resolve(payload)));
      await client.mqtt.subscribeAsync('a/b');
      await client.mqtt.publishAsync('a/b', 'x'.repeat(200_000), { qos: 1 });
      expect(await within(came, { what: 'the message' })).toHaveLength(200_000);
    }
    expect(mosquitto.connections().map(one => one.clientId)).toEqual(['ws-3', 'ws-4', 'ws-5']);
    await until(() => server.sockets.size === 0, { what: 'the end of the connections' });
  });
});
