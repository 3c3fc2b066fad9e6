import { expect, test } from 'vitest';
import type { SessionFacts } from '../../../src/account/session_facts.ts';
import { Session } from '../../../src/session.ts';
import { connectBytes, field } from '../preread/connect_bytes.ts';
import { MemoryEndpoint } from '../relay/memory_endpoint.ts';
import { bench, TestVisit } from '../workshop.ts';
import { inbound } from './sessions.ts';

const CONNECT = connectBytes({ level: 5, flags: 0x82, payload: [field('device'), field('bob')] });

/** What is known of a session whose client has sent this. */
async function factsOf(said: Buffer, { isPaced = false, usernames = false } = {}): Promise<SessionFacts> {
  const { shop: lent } = bench(10_000, isPaced);
  const shop = { ...lent, usernames };
  const client = new MemoryEndpoint();
  const source = { address: '2001:db8::7', port: 50_123 };
  const session = new TestVisit(shop);
  void new Session(session, inbound({ client, source, openedAtMs: performance.now() }), shop).run();
  client.sends(said.toString('latin1'));
  await new Promise(resolve => setImmediate(resolve));
  const facts = session.facts();
  session.stop('killed');
  client.closes(null);
  await Promise.race([session.ended, new Promise(resolve => setImmediate(resolve))]);
  return facts;
}

test('a session that has said nothing is somebody all the same', async () => {
  const { acceptedAtMs, ...facts } = await factsOf(CONNECT.subarray(0, 4));
  expect(facts).toMatchObject({
    ...{ worker: 'lb1/1', id: 7, frontend: 'mqtt', bind: '*:1883', client: '[2001:db8::7]:50123', clientId: null },
    ...{ username: null, version: null, tls: null, websocket: false, stage: 'preread', backend: null, server: null },
    ...{ how: null, retries: 0, linkedAtMs: null, keepAliveS: null },
  });
  expect(Math.abs(Date.now() - 1500 - acceptedAtMs)).toBeLessThan(1000);
});

test('a session in the queue, and one that waits for its server', async () => {
  const known = { clientId: 'device', version: '5.0', keepAliveS: 60, backend: 'emqx', server: null };
  expect(await factsOf(CONNECT, { isPaced: true })).toMatchObject({ stage: 'queue', ...known });
  expect(await factsOf(CONNECT)).toMatchObject({ stage: 'dial', ...known });
});

test.each([
  [false, null],
  [true, 'bob'],
])('P11: with log.usernames %s the user name is %s', async (usernames, username) => {
  expect(await factsOf(CONNECT, { usernames })).toMatchObject({ username });
});
