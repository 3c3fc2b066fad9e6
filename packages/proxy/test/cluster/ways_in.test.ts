import { readFileSync } from 'node:fs';
import type { IClientOptions } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { type Client, connectClient } from '../kit/clients.ts';
import { type Brokers, startBrokers, strays } from '../kit/cluster.ts';
import { until, within } from '../kit/condition.ts';
import { ids } from '../kit/crowd.ts';
import type { Limpet } from '../kit/limpet.ts';
import { keyLines, leaks } from '../kit/secrets.ts';
import { startWaysIn } from '../kit/ways_in.ts';

const ways = ['mqtt', 'mqtts', 'ws', 'wss'] as const;
type Way = (typeof ways)[number];
const password = 'correct horse battery staple';

let brokers: Brokers;
let authority: Authority;
let certificate: Issued;
let limpet: Limpet;
beforeAll(async () => {
  [brokers, authority] = await Promise.all([startBrokers(3), makeAuthority()]);
  certificate = await authority.issue({ cn: 'localhost', names: ['localhost', 'IP:127.0.0.1'] });
  const global = { log: { level: 'debug' } };
  limpet = await startWaysIn({ certificate, servers: brokers.servers(), workers: 4, global });
});
afterAll(async () => {
  await limpet[Symbol.asyncDispose]();
  await brokers[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

/** By mqtt.js, which checks the certificate. */
function connectBy(way: Way, clientId: string, protocolVersion: 4 | 5 = 4): Promise<Client> {
  const mqtt: IClientOptions = {
    protocol: way,
    path: '/mqtt',
    username: 'user',
    password,
    ca: readFileSync(authority.ca),
  };
  return connectClient(limpet.port(way), { clientId, protocolVersion, mqtt });
}

describe.each(ways.filter(way => way !== 'mqtt'))('mqtt.js over %s', way => {
  test.each([4, 5] as const)('P1: protocol version %s: what is published comes back as it was', async version => {
    const clientId = `${way}-${version}`;
    await using client = await connectBy(way, clientId, version);
    const payload = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    const properties = version === 5 ? { properties: { userProperties: { way } } } : {};
    const back = new Promise<{ topic: string; payload: Buffer; way: unknown }>(resolve => {
      client.mqtt.once('message', (topic, bytes, packet) =>
        resolve({ topic, payload: bytes, way: packet.properties?.userProperties?.way }),
      );
    });
    await client.mqtt.subscribeAsync(clientId, { qos: 1 });
    await client.mqtt.publishAsync(clientId, payload, { qos: 1, ...properties });
    const message = await within(back, { what: `the message of ${clientId}` });
    expect(message.topic).toBe(clientId);
    expect(message.payload.equals(payload)).toBe(true);
    expect(message.way).toBe(version === 5 ? way : undefined);

    const line = await limpet.waitForEvent(
      one => one.event === 'connect' && one.client_id === clientId,
      `the line of ${clientId}`,
    );
    expect(line.version).toBe(version === 5 ? '5.0' : '3.1.1');
    expect(line.tls).toBe(way === 'ws' ? undefined : 'TLSv1.3');
    expect(line.websocket).toBe(way === 'mqtts' ? undefined : true);
  });
});

test('P2: one client id reaches one broker by all four ports, whichever of 4 workers it comes to', async () => {
  const clientIds = ids('four-ways', 9);
  const rounds = 4;
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(
      clientIds.map(async (clientId, index) => {
        // Each begins by another port, so that each kind of port makes the entry for some of them.
        for (let step = 0; step < ways.length; step += 1) {
          const way = ways[(index + step) % ways.length] ?? 'mqtt';
          await (await connectBy(way, clientId, round % 2 === 0 ? 4 : 5)).end();
        }
      }),
    );
  }
  const visits = clientIds.length * ways.length * rounds;
  const lines = await until(
    () => {
      const own = limpet.events(one => one.event === 'connect' && clientIds.includes(String(one.client_id)));
      return own.length === visits && own;
    },
    { what: `${visits} lines` },
  );
  await brokers.shares(lines.map(({ client_id }) => String(client_id)));
  const homes = new Map([...brokers.homes()].filter(([id]) => clientIds.includes(id)));
  expect(strays(homes)).toEqual([]);
  expect(homes.size).toBe(clientIds.length);
  const used = new Set([...homes.values()].flat()).size;
  const workers = new Set(lines.map(({ worker }) => worker)).size;
  const frontends = new Set(lines.map(({ frontend }) => frontend)).size;
  console.log(`${visits} visits of ${clientIds.length} ids by ${frontends} ports and ${workers} workers, 0 strays`);
  expect({ used, frontends }).toEqual({ used: 3, frontends: 4 });
  expect(workers).toBeGreaterThan(1);
  expect(leaks(limpet, [password, ...keyLines(certificate.key)])).toEqual([]);
});
