/** P1 behind the CONNACK: every byte both ways, and every way in which a stream can end. */
import { expect, test } from 'vitest';
import { accepts, connack, type ScriptedBroker, startBroker, streamBytes } from '../kit/broker.ts';
import { within } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';

const MB = 1_000_000;
const CONNECT_BYTES = connectFor({ clientId: 'a' }).length;
const CONNACK_BYTES = connack(4, 0).length;

/** A client and its broker's end of the session. */
interface Ends {
  readonly client: RawSocket;
  readonly peer: RawSocket;
}

async function connected(limpet: Limpet, broker: ScriptedBroker): Promise<Ends> {
  const number = broker.peers.length;
  const client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'a' });
  return { client, peer: await broker.waitForPeer(number) };
}

/** What each end has received behind CONNECT and CONNACK, once it is as much as that. */
async function expectStream(to: RawSocket, headBytes: number, expected: Buffer): Promise<void> {
  const received = await to.waitForBytes(headBytes + expected.length, 30_000);
  // Not toEqual: it would print megabytes.
  expect(received.subarray(headBytes).equals(expected)).toBe(true);
}

test.each(['client', 'broker'] as const)('P1: 3 MB each way at once, and half-close by the %s', async first => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const { client, peer } = await connected(limpet, broker);
  const up = streamBytes(3 * MB);
  const down = streamBytes(3 * MB, 7);
  await Promise.all([
    client.write(up),
    peer.write(down),
    expectStream(peer, CONNECT_BYTES, up),
    expectStream(client, CONNACK_BYTES, down),
  ]);

  const [leaver, stayer] = first === 'client' ? [client, peer] : [peer, client];
  const [headBytes, before] = first === 'client' ? [CONNACK_BYTES, down] : [CONNECT_BYTES, up];
  leaver.end();
  await stayer.waitForEnd();
  expect(stayer.isClosed).toBe(false);
  // The other direction goes on.
  const more = streamBytes(MB, 3 * MB);
  await stayer.write(more);
  await expectStream(leaver, headBytes, Buffer.concat([before, more]));
  expect(leaver.ended).toBe(false);
  stayer.end();
  expect(await Promise.all([client.closed, peer.closed])).toEqual([null, null]);
  const end = await limpet.waitForEvent(event => event.event === 'end', 'the end line');
  const [extraIn, extraOut] = first === 'client' ? [0, MB] : [MB, 0];
  expect(end).toMatchObject({
    why: first === 'client' ? 'client_closed' : 'server_closed',
    bytes_in: CONNECT_BYTES + 3 * MB + extraIn,
    bytes_out: CONNACK_BYTES + 3 * MB + extraOut,
  });
});

test('P1: bytes sent right before FIN arrive, from the client and from the broker', async () => {
  const last = streamBytes(MB);
  const whole = CONNECT_BYTES + last.length;
  await using broker = await startBroker((peer, number) => {
    accepts()(peer, number);
    peer.onBytes(() => {
      // All of it in one go: stream and FIN.
      if (peer.bytesIn === whole) peer.socket.end(last);
    });
  });
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  for (let round = 0; round < 10; round += 1) {
    using client = await connectRaw(limpet.port('mqtt'));
    void client.write(Buffer.concat([connectFor({ clientId: 'a' }), last]));
    client.end();
    expect(await within(client.closed, { what: 'the end of the session', timeoutMs: 30_000 })).toBe(null);
    expect(client.received().subarray(CONNACK_BYTES).equals(last)).toBe(true);
    expect(broker.peers[round]?.received().subarray(CONNECT_BYTES).equals(last)).toBe(true);
    expect(broker.peers[round]?.ended).toBe(true);
  }
});

test.each(['', 'last words'])('P1: a broker that answers and leaves at once; behind its CONNACK: "%s"', async words => {
  await using broker = await startBroker(peer => {
    peer.onBytes(() => peer.socket.end(Buffer.concat([connack(4, 0), Buffer.from(words)])));
  });
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(limpet.port('mqtt'))));
  for (const client of clients) await client.write(connectFor({ clientId: 'a' }));
  for (const client of clients) {
    await client.waitForEnd();
    expect(client.received().subarray(CONNACK_BYTES).toString()).toBe(words);
    client.end();
    expect(await client.closed).toBe(null);
  }
});

test.each(['', 'last words'])('P1: FIN right behind a CONNECT reaches the broker; between them: "%s"', async words => {
  await using broker = await startBroker((peer, number) => {
    accepts()(peer, number);
    peer.socket.once('end', () => peer.end());
  });
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const bytes = Buffer.concat([connectFor({ clientId: 'a' }), Buffer.from(words)]);
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(limpet.port('mqtt'))));
  for (const client of clients) client.socket.end(bytes);
  for (const client of clients) {
    expect(await within(client.closed, { what: 'the end of the session' })).toBe(null);
    expect(client.received()).toEqual(connack(4, 0));
  }
  expect(broker.peers.map(peer => peer.received())).toEqual(clients.map(() => bytes));
});

test.each(['client', 'broker'] as const)('P1: RST by the %s stays RST', async first => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const { client, peer } = await connected(limpet, broker);
  // Bytes that were taken before are not lost by it.
  await Promise.all([client.write(streamBytes(1000)), peer.write(streamBytes(1000))]);
  await Promise.all([peer.waitForBytes(CONNECT_BYTES + 1000), client.waitForBytes(CONNACK_BYTES + 1000)]);
  const [leaver, stayer] = first === 'client' ? [client, peer] : [peer, client];
  leaver.reset();
  expect(await within(stayer.closed, { what: 'the reset' })).toBe('ECONNRESET');
  const end = await limpet.waitForEvent(event => event.event === 'end', 'the end line');
  expect(end.why).toBe(first === 'client' ? 'client_reset' : 'server_reset');
});

test.each(['client', 'broker'] as const)('P1: RST by the %s after the other side’s FIN stays RST', async first => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const { client, peer } = await connected(limpet, broker);
  const [leaver, stayer] = first === 'client' ? [client, peer] : [peer, client];
  stayer.end();
  await leaver.waitForEnd();
  leaver.reset();
  expect(await within(stayer.closed, { what: 'the reset' })).toBe('ECONNRESET');
});

test('P1: RST right behind bytes is no orderly end, from either side', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  // Whether bytes and RST are seen at once is chance: often enough, they are.
  for (let round = 0; round < 50; round += 1) {
    for (const first of ['client', 'broker'] as const) {
      const { client, peer } = await connected(limpet, broker);
      const [leaver, stayer] = first === 'client' ? [client, peer] : [peer, client];
      await leaver.write(streamBytes(100_000));
      leaver.reset();
      // What is behind the reset may be lost, by TCP's own rule; that it was one may not.
      expect(await within(stayer.closed, { what: `the reset by the ${first}` })).toBe('ECONNRESET');
    }
  }
});
