import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startDistance } from '../../table_delay.ts';

const delayUs = 20_000;

/** Sends everything back, and ends when its client does. */
async function startEcho(): Promise<{ readonly port: number; readonly server: Server } & AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = async (): Promise<void> => void server.close();
  return { port: (server.address() as AddressInfo).port, server, [Symbol.asyncDispose]: end };
}

test('bytes and ends come through unchanged, and both directions are late', async () => {
  await using echo = await startEcho();
  await using distance = await startDistance(echo.port, delayUs);
  const sent = Buffer.alloc(300_000, 'limpet');
  const socket = connect({ port: distance.port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  const startMs = performance.now();
  const first = once(socket, 'data', { signal: AbortSignal.timeout(10_000) }).then(() => performance.now());
  const whole = buffer(socket);
  socket.end(sent);
  expect(sent.equals(await whole)).toBe(true);
  expect((await first) - startMs).toBeGreaterThanOrEqual((2 * delayUs) / 1000);
});

test('a server that is not there ends the connection', async () => {
  await using echo = await startEcho();
  await using distance = await startDistance(echo.port, delayUs);
  echo.server.close();
  await once(echo.server, 'close');
  const socket = connect(distance.port, '127.0.0.1');
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
  expect(socket.bytesRead).toBe(0);
});
