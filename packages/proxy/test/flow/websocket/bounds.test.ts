import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { until, within } from '../../kit/condition.ts';
import { connectRaw, type RawSocket } from '../../kit/raw_socket.ts';
import { frame, ILLEGAL, LEGAL_CLOSE_CODES } from '../../unit/websocket/frames.ts';
import { echo, type Serving, serveWebSocket } from './serve.ts';

const REQUEST = Buffer.from(
  [
    'GET /mqtt HTTP/1.1',
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
    '\r\n',
  ].join('\r\n'),
);

async function serving(made: Promise<Serving>): Promise<Serving> {
  const server = await made;
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** What came behind the 101. */
function frames(client: RawSocket): Buffer {
  const bytes = client.received();
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4);
}

describe('P7: bad frames', () => {
  test.each(ILLEGAL)('$what: Close with $code, then FIN, and the connection is gone', async ({ bytes, code }) => {
    const server = await serving(serveWebSocket(echo));
    using client = await connectRaw(server.port);
    await client.write(Buffer.concat([REQUEST, frame({ payload: Buffer.from('ok') }), bytes]));
    await client.waitForEnd();
    const closing = Buffer.of(0x88, 2, code >> 8, code & 0xff);
    // What was legal before it has been answered; a fragment of it, too.
    const got = frames(client);
    expect(got.subarray(-4).equals(closing)).toBe(true);
    expect(got.subarray(0, 4).toString('latin1')).toMatch(/^.{2}ok/s);
    client.end();
    expect(await within(client.closed, { what: 'the end' })).toBeNull();
    await until(() => server.sockets.size === 0, { what: 'the end at the server' });
  });

  test('a client that ignores its Close is gone within about 2 s', async () => {
    const server = await serving(serveWebSocket(echo));
    using client = await connectRaw(server.port);
    await client.write(Buffer.concat([REQUEST, frame({ mask: null })]));
    await client.waitForEnd();
    await until(() => server.sockets.size === 0, { what: 'the end at the server', timeoutMs: 4000 });
  });
});

describe('close codes', () => {
  test.each(LEGAL_CLOSE_CODES.filter(code => code !== null && (code < 1004 || code > 1006)))(
    'a client that closes with %i hears it back',
    async code => {
      const server = await serving(serveWebSocket(echo));
      const client = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, 'mqtt');
      const closed = new Promise<number>(resolve => client.once('close', resolve));
      client.once('open', () => client.close(code ?? undefined, 'bye'));
      expect(await within(closed, { what: 'the answer' })).toBe(code);
      await until(() => server.sockets.size === 0, { what: 'the end at the server' });
    },
  );

  test('what we end, we end with 1000, behind everything written', async () => {
    const server = await serving(
      serveWebSocket(({ endpoint }) => {
        endpoint.write(Buffer.alloc(3_000_000, 'x'));
        endpoint.close();
      }),
    );
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, 'mqtt');
    let bytes = 0;
    client.on('message', (message: Buffer) => {
      bytes += message.length;
    });
    const closed = new Promise<number>(resolve => client.once('close', resolve));
    expect(await within(closed, { what: 'the end' })).toBe(1000);
    expect(bytes).toBe(3_000_000);
    await until(() => server.sockets.size === 0, { what: 'the end at the server' });
  });

  test('a WebSocket that is silent is pinged; one that answers stays', async () => {
    const server = await serving(serveWebSocket(echo, { bind: { idleMs: 300 } }));
    using mute = await connectRaw(server.port);
    await mute.write(REQUEST);
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, 'mqtt');
    onTestFinished(() => client.terminate());
    let pings = 0;
    client.on('ping', () => {
      pings += 1;
    });
    await mute.waitForEnd();
    expect(frames(mute).toString('hex')).toBe('8900880203e9');
    await until(() => pings >= 3, { what: 'three Pings' });
    expect(client.readyState).toBe(WebSocket.OPEN);
  });
});

describe('P10: a client that does not read', () => {
  const MESSAGE = frame({ payload: Buffer.alloc(100_000, 'x') });
  const COUNT = 400;

  test('stops its own stream, in bounded memory, and goes on when it reads', async () => {
    const server = await serving(serveWebSocket(echo));
    using client = await connectRaw(server.port);
    client.stopReading();
    const sent = client.write(Buffer.concat([REQUEST, ...Array.from({ length: COUNT }, () => MESSAGE)]));
    const [socket] = await until(() => server.sockets.size === 1 && [...server.sockets], { what: 'the connection' });
    if (socket === undefined) throw new Error('no socket');
    let before = -1;
    let quiet = 0;
    // Nothing has moved for 20 looks: every buffer between us is full.
    await until(
      () => {
        quiet = socket.bytesRead === before && socket.writableLength > 0 ? quiet + 1 : 0;
        before = socket.bytesRead;
        return quiet >= 20;
      },
      { what: 'the stream to stop' },
    );
    expect(socket.bytesRead).toBeLessThan((MESSAGE.length * COUNT) / 2);
    expect(socket.writableLength).toBeLessThan(1024 * 1024);
    client.forget();
    client.readAgain();
    await within(sent, { what: 'everything to be sent' });
    await until(() => client.bytesIn >= COUNT * 100_000, { what: 'everything to come back' });
  });
});

describe('P7: upgrades', () => {
  test.each([
    ['/other', 404],
    ['/mqtt/', 404],
  ])('a client that asks for %s hears %i', async (path, status) => {
    const server = await serving(serveWebSocket(echo));
    const client = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, 'mqtt');
    const error = new Promise<Error>(resolve => client.once('error', resolve));
    expect((await within(error, { what: 'the refusal' })).message).toContain(`${status}`);
    await until(() => server.sockets.size === 0 && server.upgraded.length === 1, { what: 'the end at the server' });
    expect(server.upgraded[0]).toMatchObject({ kind: 'failed', status, reason: 'wrong_path' });
  });

  test('a client of MQTT on the port of WebSocket hears 400 at once, and so does a browser without an upgrade hear 426', async () => {
    const server = await serving(serveWebSocket(echo));
    using plain = await connectRaw(server.port);
    await plain.write(Buffer.from('\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a', 'latin1'));
    await plain.waitForEnd();
    expect(plain.received().toString()).toMatch(/^HTTP\/1\.1 400 /);
    const response = await fetch(`http://127.0.0.1:${server.port}/mqtt`);
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
    await response.text();
  });

  test('frames in the same segment as the request are not lost', async () => {
    const server = await serving(serveWebSocket(echo));
    using client = await connectRaw(server.port);
    await client.write(Buffer.concat([REQUEST, frame({ payload: Buffer.from('Hello') })]));
    await until(() => frames(client).length >= 7, { what: 'the echo' });
    expect(frames(client).toString('hex')).toBe('820548656c6c6f');
  });

  test('100 requests that trickle end at their deadline, and others come in meanwhile', async () => {
    const server = await serving(serveWebSocket(echo, { deadlineMs: 1500 }));
    const slow = await Promise.all(Array.from({ length: 100 }, () => connectRaw(server.port)));
    onTestFinished(() => {
      for (const client of slow) client[Symbol.dispose]();
    });
    const started = performance.now();
    let at = 0;
    const trickle = setInterval(() => {
      const byte = REQUEST.subarray(at, at + 1);
      at += 1;
      // Those that have been ended cannot be written to any more.
      for (const client of slow) if (!client.ended) client.socket.write(byte);
    }, 20);
    onTestFinished(() => clearInterval(trickle));
    const other = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, 'mqtt');
    onTestFinished(() => other.terminate());
    await within(new Promise<void>(resolve => other.once('open', () => resolve())), {
      what: 'another client',
      timeoutMs: 1400,
    });
    await Promise.all(slow.map(client => client.waitForEnd()));
    expect(performance.now() - started).toBeLessThan(6000);
    for (const client of slow) expect(client.received().toString()).toMatch(/^HTTP\/1\.1 408 /);
    await until(() => server.upgraded.length === 101, { what: 'the end of all', timeoutMs: 5000 });
    expect(server.upgraded.filter(one => one.kind === 'failed' && one.reason === 'too_late')).toHaveLength(100);
  });

  test('who leaves before his request is whole is told nothing', async () => {
    const server = await serving(serveWebSocket(echo));
    using client = await connectRaw(server.port);
    await client.write(REQUEST.subarray(0, 50));
    client.end();
    await client.waitForEnd();
    expect(client.received()).toHaveLength(0);
    await until(() => server.upgraded.length === 1, { what: 'the result' });
    expect(server.upgraded[0]).toMatchObject({ kind: 'failed', status: null, reason: 'left' });
  });
});
