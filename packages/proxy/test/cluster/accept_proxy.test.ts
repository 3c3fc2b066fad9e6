/** A real HAProxy in front of Limpet: who the client is goes all the way to the broker, and nobody else may say it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accepts, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { type Haproxy, startHaproxy } from '../kit/haproxy.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { startNginx } from '../kit/nginx.ts';
import { connectRaw } from '../kit/raw_socket.ts';

const HOST = 'mqtt.example.com';
/** HAProxy connects from 127.0.0.1, whom Limpet trusts; the clients come from here. */
const CLIENT = '127.0.0.7';

let authority: Authority;
let server: Issued;
beforeAll(async () => {
  authority = await makeAuthority();
  server = await authority.issue({ cn: HOST, names: [HOST] });
});
afterAll(() => authority[Symbol.asyncDispose]());

interface Behind {
  readonly servers: readonly number[];
  readonly backend?: object;
  readonly frontend?: object;
}

function startBehind({ servers, backend = {}, frontend = {} }: Behind): Promise<Limpet> {
  const bind = { address: '127.0.0.1:0', accept_proxy: ['127.0.0.1'] };
  return startLimpet(configFor({ servers, workers: 2, frontend: { bind, ...frontend }, backend }));
}

function inFront(port: number, words: string, ssl = ''): Promise<Haproxy> {
  return startHaproxy(
    own => `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen mqtt
  bind 127.0.0.1:${own} ${ssl}
  server limpet 127.0.0.1:${port} ${words}`,
  );
}

function mutualTls(): string {
  return `ssl crt ${server.bundle} ca-file ${authority.ca} verify required`;
}

/** A client of HAProxy's with a certificate, which has sent its CONNECT. */
async function openTls(port: number, clientId: string, device: Issued): Promise<TLSSocket> {
  const pem = readFileSync(device.bundle);
  const from = { host: '127.0.0.1', port, localAddress: CLIENT };
  const client = connectTls({ ...from, ca: readFileSync(authority.ca), servername: HOST, cert: pem, key: pem });
  await once(client, 'secureConnect');
  client.write(connectFor({ clientId }));
  return client;
}

test.each(['send-proxy', 'send-proxy-v2'])(
  'P1: %s: broker and log see the client’s address, the broker through one more PROXY header',
  async words => {
    await using mosquitto = await startMosquitto();
    await using receiver = await startNginx({ upstream: mosquitto.port });
    await using limpet = await startBehind({ servers: [receiver.port], backend: { send_proxy: 'v2' } });
    await using haproxy = await inFront(limpet.port('mqtt'), words);
    using client = await acceptedRaw(haproxy.port, { clientId: 'far' }, { localAddress: CLIENT });
    const { localPort } = client.socket;
    const line = await limpet.waitForEvent(({ event }) => event === 'connect', 'the connect line');
    expect(line).toMatchObject({ client: `${CLIENT}:${localPort}`, client_id: 'far' });
    client.end();
    const [seen] = await until(async () => (await receiver.connections()).length > 0 && receiver.connections(), {
      what: 'a line in the log of nginx',
    });
    const connect = connectFor({ clientId: 'far' });
    expect(seen).toEqual({
      source: CLIENT,
      sourcePort: localPort,
      destination: '127.0.0.1',
      destinationPort: haproxy.port,
      bytesIn: connect.length,
    });
  },
);

test('P1: send-proxy-v2-ssl-cn: the broker gets, byte for byte, the header that HAProxy sent to Limpet', async () => {
  const device = await authority.issue({ cn: 'device-1' });
  await using broker = await startBroker();
  await using limpet = await startBehind({
    servers: [broker.port],
    backend: { send_proxy: { version: 2, tlvs: ['ssl', 'cn'] } },
  });
  await using relayed = await startBroker((peer, number) => spyOn(peer, number, limpet.port('mqtt')));
  await using haproxy = await inFront(relayed.port, 'send-proxy-v2-ssl-cn', mutualTls());
  const client = await openTls(haproxy.port, 'device', device);
  const sent = await until(() => relayed.peers[0] && whole(relayed.peers[0].received()), { what: 'the header' });
  const got = await until(() => broker.peers[0] && whole(broker.peers[0].received()), { what: 'the header behind' });
  console.log(got.toString('hex'));
  expect(got.toString('hex')).toBe(sent.toString('hex'));
  expect(got.includes('device-1')).toBe(true);
  client.destroy();
});

/** Passes on what HAProxy sends, so that the test sees it: as a tap on the wire would, but from the address of HAProxy. */
function spyOn(peer: ScriptedBroker['peers'][number], _number: number, port: number): void {
  void connectRaw(port).then(next => {
    let passed = 0;
    const pass = (): void => {
      const bytes = peer.received().subarray(passed);
      passed += bytes.length;
      void next.write(bytes).catch(() => undefined);
    };
    peer.onBytes(pass);
    pass();
    void peer.closed.then(() => next[Symbol.dispose]());
  });
}

/** Header and CONNECT, once both are there. */
function whole(bytes: Buffer): Buffer | null {
  const connect = connectFor({ clientId: 'device' });
  return bytes.subarray(-connect.length).equals(connect) ? bytes : null;
}

test('P2: a device is stuck by the name of its certificate, which only the header tells', async () => {
  const names = ['device-a', 'device-b', 'device-c', 'device-d'];
  const devices: Issued[] = [];
  for (const cn of names) devices.push(await authority.issue({ cn }));
  await using b1 = await startBroker();
  await using b2 = await startBroker();
  const stick = { on: 'cert_cn' };
  await using limpet = await startBehind({ servers: [b1.port, b2.port], backend: { stick } });
  await using haproxy = await inFront(limpet.port('mqtt'), 'send-proxy-v2-ssl-cn', mutualTls());
  for (const round of [1, 2, 3]) {
    for (const [index, device] of devices.entries()) {
      const client = await openTls(haproxy.port, `id-${index}-${round}`, device);
      const [answer] = (await once(client, 'data')) as [Buffer];
      expect(answer.toString('hex')).toBe('20020000');
      client.destroy();
    }
  }
  const lines = await until(
    () => {
      const seen = limpet.events(({ event }) => event === 'connect');
      return seen.length === 12 && seen;
    },
    { what: '12 connect lines', seen: () => limpet.process.tail() },
  );
  const homes = new Map(names.map(cn => [cn, new Set(lines.filter(l => l.cert_cn === cn).map(l => l.server))]));
  expect([...homes.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1]);
  expect([b1.peers.length, b2.peers.length]).toEqual([6, 6]);
  expect(lines.every(({ client }) => String(client).startsWith(`${CLIENT}:`))).toBe(true);
});

test('P7: the lists of the frontend hold for the client that the header names, not for HAProxy', async () => {
  await using broker = await startBroker();
  await using limpet = await startBehind({ servers: [broker.port], frontend: { deny: ['127.0.0.66'] } });
  await using haproxy = await inFront(limpet.port('mqtt'), 'send-proxy-v2');
  using denied = await connectRaw(haproxy.port, { localAddress: '127.0.0.66' });
  await denied.write(connectFor({ clientId: 'denied' }));
  await denied.waitForEnd();
  using welcome = await acceptedRaw(haproxy.port, { clientId: 'welcome' }, { localAddress: CLIENT });
  expect(welcome.isClosed).toBe(false);
  const refused = await limpet.waitForEvent(({ event }) => event === 'refused', 'the refusal');
  expect(refused).toMatchObject({ reason: 'denied', client: expect.stringContaining('127.0.0.66:') });
  expect(broker.peers).toHaveLength(1);
});

const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n';
const V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const CONNECT = connectFor({ clientId: 'liar' });
const BAD: readonly (readonly [string, Buffer, string, string])[] = [
  ['a trusted peer without a header', CONNECT, '127.0.0.1', 'bad_proxy_header'],
  ['a header of garbage', Buffer.from('PROXY TCP9 all is lost\r\n'), '127.0.0.1', 'bad_proxy_header'],
  [
    'a header of version 2 with a wrong command',
    Buffer.concat([V2, Buffer.of(0x2f, 0x11, 0, 12), Buffer.alloc(12)]),
    '127.0.0.1',
    'bad_proxy_header',
  ],
  ['a version 1 header without an end', Buffer.alloc(200, 'PROXY TCP4 1'), '127.0.0.1', 'bad_proxy_header'],
  ['half a header', Buffer.from(V1.slice(0, 20)), '127.0.0.1', 'proxy_header_timeout'],
  ['an untrusted peer with a header of version 1', Buffer.concat([Buffer.from(V1), CONNECT]), CLIENT, 'proxy_header'],
  [
    'an untrusted peer with a header of version 2',
    Buffer.concat([V2, Buffer.of(0x20, 0, 0, 0), CONNECT]),
    CLIENT,
    'proxy_header',
  ],
];

test('P7: missing, garbled, late and untrusted headers are refused in time and reach no broker', async () => {
  await using broker = await startBroker(accepts());
  await using limpet = await startBehind({
    servers: [broker.port],
    frontend: { timeout: { handshake: '500ms', inspect: '500ms' } },
  });
  const port = limpet.port('mqtt');
  const lines = await Promise.all(
    BAD.map(async ([what, bytes, localAddress, reason]) => {
      using client = await connectRaw(port, { localAddress });
      await client.write(bytes);
      const startMs = performance.now();
      await client.waitForEnd();
      const from = `${localAddress}:${client.socket.localPort}`;
      return { what, reason, from, tookMs: performance.now() - startMs, answered: client.bytesIn };
    }),
  );
  const refused = await until(
    () => {
      const seen = limpet.events(({ event }) => event === 'refused');
      return seen.length === BAD.length && seen;
    },
    { what: 'a line for each', seen: () => limpet.process.tail() },
  );
  expect(refused.map(({ reason }) => reason).sort()).toEqual(BAD.map(([, , , reason]) => reason).sort());
  expect(lines.filter(({ answered }) => answered > 0)).toEqual([]);
  expect(Math.max(...lines.map(({ tookMs }) => tookMs))).toBeLessThan(5_000);
  expect(broker.peers).toHaveLength(0);
  // And the same port serves those who keep to it: an untrusted peer without a header, a trusted one with it.
  using plain = await acceptedRaw(port, { clientId: 'plain' }, { localAddress: CLIENT });
  using proxied = await connectRaw(port);
  await proxied.write(Buffer.concat([Buffer.from(V1), CONNECT]));
  await proxied.waitForBytes(4);
  const served = await until(
    () => {
      const seen = limpet.events(({ event }) => event === 'connect').map(({ client }) => client);
      return seen.length === 2 && seen;
    },
    { what: 'both connect lines' },
  );
  expect(new Set(served)).toEqual(new Set([`${CLIENT}:${plain.socket.localPort}`, '192.0.2.1:50000']));
});
