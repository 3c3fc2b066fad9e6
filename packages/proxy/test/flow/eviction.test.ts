/** Sessions that are asked to leave, over real sockets: what the client sees, what the broker sees, which Wills are published. */
import { generate } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { connack, startBroker } from '../kit/broker.ts';
import { connectClient } from '../kit/clients.ts';
import { until } from '../kit/condition.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { type RelayKind, relayKinds } from '../kit/relay_kind.ts';
import { openWebSocket } from '../kit/web_socket.ts';
import { type Evicting, serveEvicting } from './evicting.ts';
import { serveWebSocket } from './websocket/serve.ts';

const EVICTION = { reason: 0x9c, forget: false };
const WORDS = Buffer.from([0xe0, 2, 0x9c, 0]);
const DISCONNECT = Buffer.from([0xe0, 0]);
const PINGREQ = Buffer.from([0xc0, 0]);

function publish(bytes: number, version: 4 | 5): Buffer {
  const payload = Buffer.alloc(bytes, 'x');
  return generate(
    { cmd: 'publish', topic: 't', payload, qos: 0, dup: false, retain: false },
    { protocolVersion: version },
  );
}

/** Asks the session with that number to leave, as soon as it can be asked. */
async function evict({ sessions }: Evicting, number = 0): Promise<void> {
  await until(() => sessions[number]?.evict(EVICTION), { what: `session ${number} is asked to leave` });
}

/** A client that has its CONNACK, and the broker's side of it. */
async function linked(relay: RelayKind, level: 4 | 5) {
  const broker = await startBroker();
  const proxy = await serveEvicting(relay, broker.port);
  const client = await connectRaw(proxy.port);
  await client.write(connectFor({ clientId: 'device', level }));
  const head = connack(level, 0);
  await client.waitForBytes(head.length);
  const peer = await broker.waitForPeer(0);
  const close = async (): Promise<void> => {
    client[Symbol.dispose]();
    await proxy[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
  };
  return { broker, proxy, client, peer, head, [Symbol.asyncDispose]: close };
}

/** The end of the broker's stream: nothing but the CONNECT and these bytes has come, and no DISCONNECT. */
async function heardOnly(peer: RawSocket, level: 4 | 5, bytes: Buffer): Promise<void> {
  await peer.waitForEnd();
  expect(peer.received().equals(Buffer.concat([connectFor({ clientId: 'device', level }), bytes]))).toBe(true);
}

describe.each(relayKinds)('%s relay', relay => {
  describe('MQTT 5.0', () => {
    test('is told between two packets, gets nothing more, and what it still sends reaches the broker', async () => {
      await using scene = await linked(relay, 5);
      const { proxy, client, peer, head } = scene;
      const before = publish(100, 5);
      await peer.write(before);
      await client.waitForBytes(head.length + before.length);
      await evict(proxy);
      await client.waitForEnd();
      await peer.write(publish(100, 5)).catch(() => {});
      const puback = Buffer.from([0x40, 2, 0, 1]);
      await client.write(puback);
      client.end();
      await heardOnly(peer, 5, puback);
      peer.end();
      await client.closed;
      expect(client.received().equals(Buffer.concat([head, before, WORDS]))).toBe(true);
      await until(() => proxy.ends.length === 1, { what: 'the end of the session' });
      expect(proxy.ends).toEqual(['drained']);
    });

    test('half a packet: the other half is awaited, and what stands behind it in the same segment is not sent', async () => {
      await using scene = await linked(relay, 5);
      const { proxy, client, peer, head } = scene;
      const packet = publish(70_000, 5);
      await peer.write(packet.subarray(0, 30_000));
      await client.waitForBytes(head.length + 30_000);
      await evict(proxy);
      // A relay with a thread of its own hears of it later: but before it passes on what comes now.
      const had = peer.bytesIn;
      await client.write(PINGREQ);
      await peer.waitForBytes(had + PINGREQ.length);
      await peer.write(Buffer.concat([packet.subarray(30_000), publish(10, 5)]));
      await client.waitForEnd();
      expect(client.received().equals(Buffer.concat([head, packet, WORDS]))).toBe(true);
    });

    test('half a packet whose other half does not come: closed without a word', async () => {
      await using scene = await linked(relay, 5);
      const { proxy, client, peer, head } = scene;
      await peer.write(Buffer.from([0x30, 100, 0]));
      await client.waitForBytes(head.length + 3);
      const startedMs = performance.now();
      await evict(proxy);
      await client.waitForEnd();
      expect(performance.now() - startedMs).toBeGreaterThan(1900);
      expect(client.received().equals(Buffer.concat([head, Buffer.from([0x30, 100, 0])]))).toBe(true);
    });

    test('one that stays is closed after 5 s, and its broker hears no DISCONNECT', async () => {
      await using scene = await linked(relay, 5);
      const { proxy, client, peer } = scene;
      const startedMs = performance.now();
      await evict(proxy);
      await client.waitForEnd();
      await heardOnly(peer, 5, Buffer.alloc(0));
      expect(performance.now() - startedMs).toBeGreaterThan(4900);
      expect(performance.now() - startedMs).toBeLessThan(9000);
    });

    test('in a WebSocket: in a frame of its own, then Close', async () => {
      await using broker = await startBroker();
      await using proxy = await serveEvicting(relay, broker.port);
      await using serving = await serveWebSocket(({ endpoint, facts }) => proxy.serve(endpoint, facts));
      using client = await openWebSocket(serving.port);
      await client.send(connectFor({ clientId: 'device', level: 5 }));
      const head = connack(5, 0);
      await client.waitForBytes(head.length);
      await evict(proxy);
      await client.waitForBytes(head.length + WORDS.length);
      await until(() => proxy.ends.length === 1, { what: 'the end of the session' });
      expect(client.received().equals(Buffer.concat([head, WORDS]))).toBe(true);
      await heardOnly(await broker.waitForPeer(0), 5, Buffer.alloc(0));
    });
  });

  test('MQTT 3.1.1 is closed without a word, and what it still sends reaches the broker', async () => {
    await using scene = await linked(relay, 4);
    const { proxy, client, peer, head } = scene;
    await evict(proxy);
    await client.waitForEnd();
    await client.write(publish(10, 4));
    client.end();
    await heardOnly(peer, 4, publish(10, 4));
    expect(client.received().equals(head)).toBe(true);
  });

  test.each([
    ['keep', 'maintenance', ['maintenance']],
    ['keep', 'server_down', ['killed']],
    ['shutdown_sessions', 'server_down', ['server_down']],
  ] as const)('on_marked_down: %s, and its server falls by %s: ends %j', async (onMarkedDown, why, ends) => {
    await using broker = await startBroker();
    await using proxy = await serveEvicting(relay, broker.port, { onMarkedDown });
    using client = await acceptedRaw(proxy.port, { clientId: 'device' });
    const [session] = proxy.sessions;
    session?.serverFell(why);
    session?.stop('killed');
    await client.waitForEnd();
    client.end();
    await until(() => proxy.ends.length === 1, { what: 'the end of the session' });
    expect(proxy.ends).toEqual(ends);
  });
});

describe.each(relayKinds)('Wills, by mosquitto, %s relay', relay => {
  function withWill(clientId: string, protocolVersion: 4 | 5): Buffer {
    const will = { topic: `will/${clientId}`, payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const names = { clientId, protocolId: 'MQTT' as const, protocolVersion };
    return generate({ cmd: 'connect', ...names, keepalive: 60, clean: true, will });
  }

  test('are published for all who do not say DISCONNECT themselves', async () => {
    await using mosquitto = await startMosquitto();
    await using proxy = await serveEvicting(relay, mosquitto.port);
    await using watcher = await connectClient(mosquitto.port, { clientId: 'watcher' });
    const wills: string[] = [];
    watcher.mqtt.on('message', topic => wills.push(topic));
    await watcher.mqtt.subscribeAsync('#');
    const clients = [];
    for (const version of [4, 5] as const) {
      for (const way of ['silent', 'polite', 'stays']) {
        const client = await connectRaw(proxy.port);
        await client.write(withWill(`${way}-${version}`, version));
        await client.waitForBytes(4);
        await mosquitto.waitForClient(`${way}-${version}`);
        clients.push({ client, way });
      }
    }
    for (const number of clients.keys()) await evict(proxy, number);
    for (const { client, way } of clients) {
      await client.waitForEnd();
      if (way === 'polite') await client.write(DISCONNECT);
      if (way !== 'stays') client.end();
    }
    await until(() => proxy.ends.length === clients.length, { what: 'the end of all sessions', timeoutMs: 15_000 });
    await watcher.mqtt.publishAsync('done', '');
    await until(() => wills.includes('done'), { what: 'the last message' });
    expect(wills.sort()).toEqual(['done', 'will/silent-4', 'will/silent-5', 'will/stays-4', 'will/stays-5']);
    for (const { client } of clients) client[Symbol.dispose]();
  });

  test('a client of a library that reads its DISCONNECT hears the reason', async () => {
    await using mosquitto = await startMosquitto();
    await using proxy = await serveEvicting(relay, mosquitto.port);
    await using client = await connectClient(proxy.port, { clientId: 'device', protocolVersion: 5 });
    const reason = new Promise(resolve => client.mqtt.once('disconnect', packet => resolve(packet.reasonCode)));
    await evict(proxy);
    expect(await reason).toBe(0x9c);
    await client.closed;
  });
});
