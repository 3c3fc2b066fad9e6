import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, type ClientOptions, connectClient } from '../../../proxy/test/kit/clients.ts';
import { type DemoBrokers, startBrokers } from '../../src/demo/brokers.ts';

let landed: [string, string][];
let brokers: DemoBrokers;
let clients: Client[];

beforeEach(async () => {
  landed = [];
  clients = [];
  brokers = await startBrokers(3, (id, broker) => landed.push([id, broker]));
});
afterEach(async () => {
  await Promise.all(clients.map(client => client.drop()));
  await brokers[Symbol.asyncDispose]();
});

async function connect(broker: number, clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${brokers.list[broker]?.port}`;
  const client = await mqtt.connectAsync(url, { clientId, reconnectPeriod: 0, ...options }, false);
  clients.push(client);
  return client;
}

async function nextMessage(client: MqttClient): Promise<string> {
  const [topic, payload] = (await once(client, 'message')) as [string, Buffer];
  return `${topic} ${payload}`;
}

it('tells which broker a client landed on before its CONNACK', async () => {
  await connect(0, 'a');
  await connect(2, 'b');
  expect(landed).toEqual([
    ['a', 'broker1'],
    ['b', 'broker3'],
  ]);
});

it('carries a message from one broker to a subscriber on another, once', async () => {
  const subscriber = await connect(0, 'subscriber');
  const received: string[] = [];
  subscriber.on('message', (_, payload) => received.push(payload.toString()));
  await subscriber.subscribeAsync('t/#', { qos: 1 });
  const publisher = await connect(1, 'publisher');
  await publisher.publishAsync('t/xyz', 'hello', { qos: 1 });
  // Messages of one publisher keep their order, so a second copy of the first would come before the last.
  const last = new Promise<void>(resolve =>
    subscriber.on('message', (_, payload) => String(payload) === 'bye' && resolve()),
  );
  await publisher.publishAsync('t/xyz', 'bye', { qos: 1 });
  await last;
  expect(received).toEqual(['hello', 'bye']);
});

it('keeps a session that is found on every broker', async () => {
  const first = await connect(0, 'device', { clean: false });
  await first.subscribeAsync('alarm', { qos: 1 });
  await first.endAsync();
  const publisher = await connect(1, 'publisher');
  await publisher.publishAsync('alarm', 'while you were away', { qos: 1 });
  const again = mqtt.connect(`mqtt://127.0.0.1:${brokers.list[2]?.port}`, {
    clientId: 'device',
    clean: false,
    reconnectPeriod: 0,
  });
  clients.push(again);
  expect(await nextMessage(again)).toBe('alarm while you were away');
});

it('closes a client on its old broker when its id comes to another', async () => {
  const old = await connect(0, 'device');
  const closed = once(old, 'close');
  await connect(1, 'device');
  await closed;
  expect(old.connected).toBe(false);
});

it('closes its ports', async () => {
  await brokers[Symbol.asyncDispose]();
  for (const { port } of brokers.list) {
    const socket = createConnection(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  }
});
