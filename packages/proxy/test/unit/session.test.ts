import { expect, test } from 'vitest';
import { FirstBytes } from '../../src/first_bytes.ts';
import { refuse } from '../../src/preread/refusal.ts';
import type { PrereadPool } from '../../src/preread_pool.ts';
import type { Placed } from '../../src/route/placer.ts';
import { Session } from '../../src/session.ts';
import { inbound } from './account/sessions.ts';
import { connectOfLength } from './preread/connect_bytes.ts';
import { MemoryEndpoint } from './relay/memory_endpoint.ts';
import { bench, TestVisit } from './workshop.ts';

const POOL_BYTES = 10_000;
const BUSY = refuse(5, 'busy').toString('latin1');
const NOBODY_UP: Placed = { server: null, why: 'down' };

/** A session whose client has sent its CONNECT. It waits for its turn, or (`isPaced: false`) for a server. */
async function scene({ connectBytes = 100, isPaced = true } = {}) {
  const { shop, lines, place } = bench(POOL_BYTES, isPaced);
  const client = new MemoryEndpoint();
  const arrived = inbound({ client, openedAtMs: performance.now() });
  const session = new TestVisit(shop);
  const frontend = { ...arrived.frontend, maxConnectSizeBytes: POOL_BYTES };
  void new Session(session, { ...arrived, frontend }, shop).run();
  client.sends(connectOfLength(5, connectBytes).toString('latin1'));
  await new Promise(resolve => setImmediate(resolve));
  return { pool: shop.pool, lines, client, session, over: session.ended, place };
}

/** Somebody else who needs less than the one who waits has. */
function crowdOut(pool: PrereadPool): void {
  expect(new FirstBytes(pool).keep(Buffer.alloc(5000), () => {})).toBe(true);
}

test('P7: a client that sends more than there is room for while it waits for its turn is told to come later', async () => {
  const { lines, client, over, pool } = await scene();
  client.sends('x'.repeat(POOL_BYTES));
  await over;
  expect([lines, client.written, client.asked]).toEqual([[['refused', 'preread_memory']], BUSY, ['close']]);
  expect(pool.usedBytes).toBe(0);
});

test('P7: a client that is evicted while it waits for its turn is told to come later, and logged', async () => {
  const { lines, client, over, pool } = await scene({ connectBytes: 9000 });
  crowdOut(pool);
  await over;
  expect([lines, client.written, client.asked]).toEqual([[['refused', 'preread_memory']], BUSY, ['close']]);
});

test('P7: a client that is evicted while it is given a server is told to come later, and logged', async () => {
  const { lines, client, over, pool, place } = await scene({ connectBytes: 9000, isPaced: false });
  crowdOut(pool);
  place(NOBODY_UP);
  await over;
  expect([lines, client.written, client.asked]).toEqual([[['refused', 'preread_memory']], BUSY, ['close']]);
});

test('P7: of two whose large CONNECTs come in one turn, the one that is evicted before it has a server is told to come later', async () => {
  const { shop, lines } = bench(POOL_BYTES, false);
  const [first, second] = [9000, 5000].map((length, place) => {
    const client = new MemoryEndpoint();
    const arrived = inbound({ client, openedAtMs: performance.now() });
    const visit = new TestVisit(shop, place);
    const frontend = { ...arrived.frontend, maxConnectSizeBytes: POOL_BYTES };
    void new Session(visit, { ...arrived, frontend }, shop).run();
    return { client, visit, sends: () => client.sends(connectOfLength(5, length).toString('latin1')) };
  });
  first?.sends();
  second?.sends();
  await first?.visit.ended;
  expect([lines, first?.client.written, first?.client.asked]).toEqual([
    [['refused', 'preread_memory']],
    BUSY,
    ['close'],
  ]);
  expect([second?.client.asked, shop.pool.usedBytes]).toEqual([[], second?.client.bytesIn]);
});

test('a client that leaves while it waits for its turn is logged as one that left', async () => {
  const { lines, client, over } = await scene();
  client.closes('ECONNRESET');
  await over;
  expect([lines, client.written]).toEqual([[['refused', 'client_left']], '']);
});

test('a client that the proxy stops while it waits for its turn is not logged as one that left', async () => {
  const { lines, client, session, over } = await scene();
  session.stop('shutdown');
  await over;
  expect([lines, client.asked]).toEqual([[], ['reset']]);
});
