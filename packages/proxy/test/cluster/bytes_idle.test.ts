/** The idle limit: taken from the client's own keep-alive, and never the reason why a live client is cut off. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { accepts, connack, type Script, startBroker } from '../kit/broker.ts';
import { connectClient } from '../kit/clients.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { kernelSockets } from '../kit/kernel.ts';
import { type Limpet, type LogEvent, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { connectBytes, field } from '../unit/preread/connect_bytes.ts';

const PINGREQ = Buffer.of(0xc0, 0);

/** A 5.0 CONNACK with Server Keep Alive (property 19). */
function serverKeepAlive(seconds: number): Script {
  return peer => peer.onBytes(() => void peer.write(Buffer.from([0x20, 6, 0, 0, 3, 0x13, 0, seconds])));
}

function endOf(limpet: Limpet, clientId: string): Promise<LogEvent> {
  return limpet.waitForEvent(event => event.event === 'end' && event.client_id === clientId, `the end of ${clientId}`);
}

test('P7: a silent client with keep-alive 1 is ended after 1.5 s, and the broker gets no DISCONNECT in its name', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const startMs = performance.now();
  using client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'a', keepAliveS: 1 });
  await client.waitForEnd();
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(1500);
  expect(await endOf(limpet, 'a')).toMatchObject({ why: 'client_idle' });
  const peer = await broker.waitForPeer(0);
  await peer.waitForEnd();
  expect(peer.received()).toEqual(connectFor({ clientId: 'a', keepAliveS: 1 }));
  expect(client.received()).toEqual(connack(4, 0));
});

test('P7: a silent client’s Will is published by a real broker', async () => {
  await using mosquitto = await startMosquitto();
  await using limpet = await startLimpet(configFor({ servers: [mosquitto.port] }));
  await using watcher = await connectClient(mosquitto.port, { clientId: 'watcher' });
  await watcher.mqtt.subscribeAsync('will/#');
  const wills: string[] = [];
  watcher.mqtt.on('message', (topic, payload) => wills.push(`${topic} ${payload.toString()}`));
  // Longer than a second, for which mosquitto's own clock is too coarse to be later than 1.5 times of it.
  const will = [field('silent'), field('will/silent'), field('gone')];
  const startMs = performance.now();
  using client = await connectRaw(limpet.port('mqtt'));
  await client.write(connectBytes({ level: 4, flags: 0x06, keepAliveS: 2, payload: will }));
  expect(await client.waitForBytes(4)).toEqual(connack(4, 0));
  await until(() => wills.length > 0, { what: 'the Will' });
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(3000);
  expect(wills).toEqual(['will/silent gone']);
  expect(await endOf(limpet, 'silent')).toMatchObject({ why: 'client_idle' });
});

test('P7: who pings stays, and so does who asked for no keep-alive, for whom the kernel looks', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const port = limpet.port('mqtt');
  using pinging = await acceptedRaw(port, { clientId: 'pinging', keepAliveS: 1 });
  using never = await acceptedRaw(port, { clientId: 'never', keepAliveS: 0 });
  const ping = setInterval(() => void pinging.write(PINGREQ).catch(() => undefined), 500);
  try {
    // Two of the silent client's lives: in this time nothing may happen to the others.
    for (const clientId of ['first', 'second']) {
      using silent = await acceptedRaw(port, { clientId, keepAliveS: 1 });
      await silent.waitForEnd();
    }
    expect([pinging.ended, pinging.isClosed, never.ended, never.isClosed]).toEqual([false, false, false, false]);
  } finally {
    clearInterval(ping);
  }
  const peers = [await broker.waitForPeer(0), await broker.waitForPeer(1)] as const;
  const socketsOf = (client: RawSocket, peer: (typeof peers)[0]): boolean[] =>
    kernelSockets()
      .filter(
        ({ localPort, remotePort }) =>
          (localPort === port && remotePort === client.socket.localPort) ||
          (localPort === peer.socket.remotePort && remotePort === broker.port),
      )
      .map(({ hasKeepAlive }) => hasKeepAlive);
  expect(socketsOf(never, peers[1])).toEqual([true, true]);
  // A device that sleeps between its pings answers no probes.
  expect(socketsOf(pinging, peers[0])).toEqual([false, false]);
});

test('P7: timeout.client and timeout.server hold at keep-alive 0 only', async () => {
  await using broker = await startBroker(accepts());
  for (const [key, why] of [
    ['client', 'client_idle'],
    ['server', 'server_idle'],
  ] as const) {
    const defaults = { timeout: { [key]: '1s' } };
    await using limpet = await startLimpet(configFor({ servers: [broker.port], defaults }));
    using asked = await acceptedRaw(limpet.port('mqtt'), { clientId: 'asked', keepAliveS: 60 });
    const startMs = performance.now();
    using none = await acceptedRaw(limpet.port('mqtt'), { clientId: 'none', keepAliveS: 0 });
    await none.waitForEnd();
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(1000);
    expect(await endOf(limpet, 'none')).toMatchObject({ why });
    // The same time once more, in which nothing may happen to the other.
    await delay(1000);
    expect([asked.ended, asked.isClosed]).toEqual([false, false]);
  }
});

test('P7: Server Keep Alive replaces keep-alive 0, and shortens no longer one', async () => {
  await using broker = await startBroker(serverKeepAlive(1));
  await using limpet = await startLimpet(configFor({ servers: [broker.port] }));
  const connect = async (clientId: string, keepAliveS: number): Promise<RawSocket> => {
    const client = await connectRaw(limpet.port('mqtt'));
    await client.write(connectFor({ clientId, level: 5, keepAliveS }));
    await client.waitForBytes(8);
    return client;
  };
  using longer = await connect('longer', 60);
  const startMs = performance.now();
  using none = await connect('none', 0);
  await none.waitForEnd();
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(1500);
  expect(await endOf(limpet, 'none')).toMatchObject({ why: 'client_idle' });
  await delay(1500);
  expect([longer.ended, longer.isClosed]).toEqual([false, false]);
});

test('P7: a real broker’s Server Keep Alive reaches the client, which lives by it', async () => {
  // The smallest that mosquitto takes.
  await using mosquitto = await startMosquitto({ config: ['max_keepalive 10'] });
  await using limpet = await startLimpet(configFor({ servers: [mosquitto.port] }));
  // Pings as the broker says, not every 60 s.
  await using good = await connectClient(limpet.port('mqtt'), {
    clientId: 'good',
    protocolVersion: 5,
    mqtt: { keepalive: 60 },
  });
  expect(good.connack.properties?.serverKeepAlive).toBe(10);
  const startMs = performance.now();
  using silent = await connectRaw(limpet.port('mqtt'));
  await silent.write(connectFor({ clientId: 'silent', level: 5, keepAliveS: 0 }));
  await silent.waitForEnd(30_000);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(15_000);
  expect(await endOf(limpet, 'silent')).toMatchObject({ why: 'client_idle' });
  expect(good.mqtt.connected).toBe(true);
});
