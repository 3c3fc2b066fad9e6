/** What a broker is told of TLS, compared byte for byte with what a real HAProxy tells of the same client. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { connectFor } from '../kit/connects.ts';
import { type Haproxy, startHaproxy } from '../kit/haproxy.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { connectRaw } from '../kit/raw_socket.ts';

const HOST = 'mqtt.example.com';
const CONNECT = connectFor({ clientId: 'device' });
/** PROXY protocol, section 2.2: signature, command, family, length; then two IPv4 addresses with their ports. */
const FIXED = 16;
const ADDRESSES = 12;

let authority: Authority;
let server: Issued;
beforeAll(async () => {
  authority = await makeAuthority();
  server = await authority.issue({ cn: HOST, names: [HOST] });
});
afterAll(() => authority[Symbol.asyncDispose]());

interface Pair extends AsyncDisposable {
  readonly broker: ScriptedBroker;
  readonly limpet: Limpet;
  readonly haproxy: Haproxy;
}

/** Limpet and HAProxy, configured alike, before one broker. `words` are HAProxy's for what `tlvs` are Limpet's. */
async function startPair(tlvs: readonly string[], words: string, isTls = true): Promise<Pair> {
  const broker = await startBroker(() => undefined);
  const tls = { cert: server.bundle, client_ca: authority.ca, verify: 'optional' };
  const limpet = await startLimpet(
    configFor({
      servers: [broker.port],
      frontend: { bind: { address: '127.0.0.1:0', ...(isTls ? { tls } : {}) } },
      backend: { send_proxy: { version: 2, tlvs } },
    }),
  );
  const ssl = isTls ? `ssl crt ${server.bundle} ca-file ${authority.ca} verify optional` : '';
  const haproxy = await startHaproxy(
    port => `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen mqtt
  bind 127.0.0.1:${port} ${ssl}
  server broker 127.0.0.1:${broker.port} ${words}`,
  );
  const end = async (): Promise<void> => {
    for (const part of [limpet, haproxy, broker]) await part[Symbol.asyncDispose]();
  };
  return { broker, limpet, haproxy, [Symbol.asyncDispose]: end };
}

/** The header of that connection without what it cannot share with another one: addresses and ports. */
async function headerOf(broker: ScriptedBroker, number: number): Promise<Buffer> {
  const peer = await broker.waitForPeer(number);
  const length = FIXED + (await peer.waitForBytes(FIXED)).readUInt16BE(FIXED - 2);
  const bytes = await peer.waitForBytes(length + CONNECT.length);
  expect(bytes.subarray(length)).toEqual(CONNECT);
  return Buffer.concat([bytes.subarray(0, FIXED), bytes.subarray(FIXED + ADDRESSES, length)]);
}

async function openTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: readFileSync(authority.ca), servername: HOST, ...options });
  await once(socket, 'secureConnect');
  socket.write(CONNECT);
  return socket;
}

/** One client at both; answers what the broker got of Limpet, and of HAProxy. */
async function compare({ broker, limpet, haproxy }: Pair, options: ConnectionOptions): Promise<[Buffer, Buffer]> {
  const visit = async (port: number): Promise<Buffer> => {
    const number = broker.peers.length;
    const client = await openTls(port, options);
    const header = await headerOf(broker, number);
    client.destroy();
    return header;
  };
  return [await visit(limpet.port('mqtt')), await visit(haproxy.port)];
}

function keyPair({ bundle }: Issued): ConnectionOptions {
  return { cert: readFileSync(bundle), key: readFileSync(bundle) };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', version => {
  test('P1: [ssl, cn] are the bytes of send-proxy-v2-ssl-cn, [ssl] those of send-proxy-v2-ssl', async () => {
    const versions = { minVersion: version, maxVersion: version };
    const subjects = ['/CN=device-1', '/O=Plant/CN=device 2', '/O=nameless', '/CN=one/CN=two', `/CN=${'x'.repeat(64)}`];
    const devices: Issued[] = [];
    for (const subject of subjects) devices.push(await authority.issue({ cn: null, subject }));
    await using withCn = await startPair(['ssl', 'cn'], 'send-proxy-v2-ssl-cn');
    await using withoutCn = await startPair(['ssl'], 'send-proxy-v2-ssl');
    for (const pair of [withCn, withoutCn]) {
      for (const [index, device] of devices.entries()) {
        const [ours, theirs] = await compare(pair, { ...versions, ...keyPair(device) });
        expect(ours.toString('hex'), subjects[index]).toBe(theirs.toString('hex'));
        expect(ours.includes('device-1')).toBe(pair === withCn && index === 0);
      }
      const [ours, theirs] = await compare(pair, versions);
      expect(ours.toString('hex'), 'no certificate').toBe(theirs.toString('hex'));
    }
  });
});

test('P1: a resumed session tells what HAProxy tells: its certificate is the session’s, not the connection’s', async () => {
  const device = await authority.issue({ cn: 'device-1' });
  await using pair = await startPair(['ssl', 'cn'], 'send-proxy-v2-ssl-cn');
  const headers: string[] = [];
  for (const port of [pair.limpet.port('mqtt'), pair.haproxy.port]) {
    const secureContext = createSecureContext({
      ca: readFileSync(authority.ca),
      ...keyPair(device),
      maxVersion: 'TLSv1.2',
    });
    const first = await openTls(port, { secureContext });
    const session = await until(() => first.getSession(), { what: 'a session' });
    await headerOf(pair.broker, 2 * headers.length);
    first.destroy();
    const second = await openTls(port, { secureContext, session });
    expect(second.isSessionReused()).toBe(true);
    headers.push((await headerOf(pair.broker, 2 * headers.length + 1)).toString('hex'));
    second.destroy();
  }
  expect(headers[0]).toBe(headers[1]);
});

test('P1: a client without TLS is told as HAProxy tells it', async () => {
  await using pair = await startPair(['ssl', 'cn'], 'send-proxy-v2-ssl-cn', false);
  const headers: string[] = [];
  for (const port of [pair.limpet.port('mqtt'), pair.haproxy.port]) {
    using client = await connectRaw(port);
    await client.write(CONNECT);
    headers.push((await headerOf(pair.broker, headers.length)).toString('hex'));
  }
  expect(headers[0]).toBe(headers[1]);
});
