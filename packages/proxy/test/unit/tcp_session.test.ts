import { expect, test } from 'vitest';
import { FirstBytes } from '../../src/first_bytes.ts';
import { TcpSession } from '../../src/tcp_session.ts';
import { inbound } from './account/sessions.ts';
import { MemoryEndpoint } from './relay/memory_endpoint.ts';
import { extension, hello, serverName } from './tls/hello_bytes.ts';
import { bench, TestVisit } from './workshop.ts';

test('P7: a large ClientHello stays reserved until a broker has it; who is evicted meanwhile is logged', async () => {
  const { shop, lines, place } = bench(10_000, false);
  const client = new MemoryEndpoint();
  const arrived = inbound({ client, openedAtMs: performance.now() });
  const sniRoutes = [{ host: 'a.example', backend: 'emqx' }];
  const visit = new TestVisit(shop);
  const frontend = { ...arrived.frontend, mode: 'tcp' as const, sniRoutes };
  void new TcpSession(visit, { ...arrived, frontend }, shop).run();
  const bytes = hello(serverName('a.example'), extension(21, Buffer.alloc(8000)));
  client.sends(bytes.toString('latin1'));
  await new Promise(resolve => setImmediate(resolve));
  expect(shop.pool.usedBytes).toBe(bytes.length);
  expect(new FirstBytes(shop.pool).keep(Buffer.alloc(5000), () => {})).toBe(true);
  place({ server: null, why: 'down' });
  await visit.ended;
  expect([lines, client.written, client.asked]).toEqual([[['refused', 'preread_memory']], '', ['close']]);
});
