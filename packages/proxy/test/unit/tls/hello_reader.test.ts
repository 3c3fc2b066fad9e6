import { Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { PrereadPool } from '../../../src/preread_pool.ts';
import { type HelloEnd, HelloReader } from '../../../src/tls/hello_reader.ts';
import { message, records, serverName } from './hello_bytes.ts';

const SNI = `${`${'x'.repeat(60)}.`.repeat(4)}example`;

afterEach(() => {
  vi.restoreAllMocks();
});

test('P7: a hello that comes byte by byte is never held in more than 64 pieces, and every byte is reserved', () => {
  const socket = new Socket();
  const pool = new PrereadPool(10_000);
  const ends: HelloEnd[] = [];
  const bytes = records(message([serverName(SNI)]));
  const joined = vi.spyOn(Buffer, 'concat');
  const pieces = vi.spyOn(socket, 'read');
  new HelloReader(socket, pool, end => ends.push(end));
  for (const [index, byte] of bytes.entries()) {
    pieces.mockReturnValueOnce(Buffer.from([byte])).mockReturnValueOnce(null);
    socket.emit('readable');
    expect(pool.usedBytes).toBe(index + 1);
  }
  expect(ends).toMatchObject([{ kind: 'hello', hello: { sni: SNI } }]);
  const sizes = joined.mock.calls.map(([list]) => list.length);
  expect(sizes.length).toBeGreaterThan(3);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
  pieces.mockRestore();
  expect(socket.read()).toEqual(bytes);
  socket.destroy();
});
