import { afterEach, expect, test, vi } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { PrereadPool } from '../../../src/preread_pool.ts';
import { readServerName } from '../../../src/sni/read_server_name.ts';
import { inbound } from '../account/sessions.ts';
import { MemoryEndpoint } from '../relay/memory_endpoint.ts';
import { message, records, serverName } from '../tls/hello_bytes.ts';

const SNI = `${`${'x'.repeat(60)}.`.repeat(4)}example`;

afterEach(() => {
  vi.restoreAllMocks();
});

test('P7: a hello that comes byte by byte is never held in more than 64 pieces, and every byte is reserved', async () => {
  const client = new MemoryEndpoint();
  const pool = new PrereadPool(10_000);
  const bytes = records(message([serverName(SNI)]));
  const joined = vi.spyOn(Buffer, 'concat');
  const reading = readServerName(inbound({ client, openedAtMs: performance.now() }), pool, new TimerWheel());
  for (const [index, byte] of bytes.entries()) {
    if (index > 0) expect(pool.usedBytes).toBe(index);
    client.sends(String.fromCharCode(byte));
  }
  expect(await reading.result).toEqual({ kind: 'hello', sni: SNI, bytes });
  const sizes = joined.mock.calls.map(([list]) => list.length);
  expect(sizes.length).toBeGreaterThan(3);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
});
