import { once } from 'node:events';
import { createConnection } from 'node:net';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, connectClient } from '../../../proxy/test/kit/clients.ts';
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

async function connect(broker: number, clientId: string, clean = true): Promise<Client> {
  const client = await connectClient(portOf(broker), { clientId, clean });
  clients.push(client);
  return client;
}

function portOf(broker: number): number {
  return brokers.list[broker]?.port ?? 0;
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
  const { mqtt: subscriber } = await connect(0, 'subscriber');
  const received: string[] = [];
  // Messages of one publisher keep their order, so a second copy of the first would come before the last.
  const last = new Promise<void>(resolve => {
    subscriber.on('message', (_, payload) => {
      if (received.push(payload.toString()) && received.at(-1) === 'bye') resolve();
    });
  });
  await subscriber.subscribeAsync('t/#', { qos: 1 });
  const { mqtt: publisher } = await connect(1, 'publisher');
  await publisher.publishAsync('t/xyz', 'hello', { qos: 1 });
  await publisher.publishAsync('t/xyz', 'bye', { qos: 1 });
  await last;
  expect(received).toEqual(['hello', 'bye']);
});

it('keeps a session that is found on every broker', async () => {
  const first = await connect(0, 'device', false);
  await first.mqtt.subscribeAsync('alarm', { qos: 1 });
  await first.end();
  const publisher = await connect(1, 'publisher');
  await publisher.mqtt.publishAsync('alarm', 'while you were away', { qos: 1 });
  // The message comes right behind the CONNACK, so who listens for it must do so before.
  const options = { port: portOf(2), clientId: 'device', clean: false, reconnectPeriod: 0 };
  const again = mqtt.connect(options);
  try {
    const message = await new Promise(resolve => {
      again.on('message', (topic, payload) => resolve(`${topic} ${payload}`));
    });
    expect(message).toBe('alarm while you were away');
  } finally {
    await again.endAsync(true);
  }
});

it('closes a client on its old broker when its id comes to another', async () => {
  const old = await connect(0, 'device');
  await connect(1, 'device');
  await old.closed;
  expect(old.mqtt.connected).toBe(false);
});

it('closes its ports', async () => {
  await brokers[Symbol.asyncDispose]();
  for (const { port } of brokers.list) {
    const socket = createConnection(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  }
});
