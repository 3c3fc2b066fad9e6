/**
 * PROXY headers of a real HAProxy, compared with what its client knows of the same connection.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProxyFacts, tlsFactsOf } from '../../../src/gate/proxy_header.ts';
import type { Accepted } from '../../../src/listen/accepted.ts';
import { type Authority, makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { type Haproxy, startHaproxy } from '../../kit/haproxy.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const SERVER = 'mqtt.example.com';
const DEVICE = 'device-1';

let authority: Authority;
let server: string;
let device: string;
beforeAll(async () => {
  authority = await makeAuthority();
  server = (await authority.issue({ cn: SERVER, names: [SERVER] })).bundle;
  device = (await authority.issue({ cn: DEVICE })).bundle;
});
afterAll(() => authority[Symbol.asyncDispose]());

function socketOf({ socket }: Accepted): Socket {
  if (socket === null) throw new Error('a client without a socket');
  return socket;
}

/** HAProxy in front of a receiver. `bind` is what stands behind the address, `send` what stands behind the server. */
function inFront(receiver: Receiver, bind: string, send: string): Promise<Haproxy> {
  return startHaproxy(
    port => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:${port} ${bind}
  bind [::1]:${port} v6only ${bind}
  unique-id-format "%ci:%cp-%[dst_port]"
  default_backend back
backend back
  # Of a check: it waits for an answer, and a connection that is dropped at once has no address any more.
  option httpchk
  server limpet 127.0.0.1:${receiver.port} ${send}
`,
  );
}

function tlsBind(): string {
  return `ssl crt ${server} ca-file ${authority.ca} verify optional`;
}

/** Opens TLS; resolves when the handshake is over. */
async function openTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const ca = readFileSync(authority.ca);
  const socket = connectTls({ host: '127.0.0.1', port, ca, servername: SERVER, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

function withCert(): ConnectionOptions {
  return { cert: readFileSync(device), key: readFileSync(device) };
}

async function facts(receiver: Receiver, count = 1): Promise<ProxyFacts | undefined> {
  const { accepted } = await receiver.arrival(count);
  return accepted.kind === 'accepted' ? accepted.header?.facts : undefined;
}

describe('plain connections through a real HAProxy', () => {
  test.each([
    ['send-proxy', 1, '127.0.0.1'],
    ['send-proxy', 1, '::1'],
    ['send-proxy-v2', 2, '127.0.0.1'],
    ['send-proxy-v2', 2, '::1'],
  ])('%s (version %i), a client of %s', async (send, version, host) => {
    await using receiver = await startReceiver('node', { opens: false });
    await using haproxy = await inFront(receiver, '', send);
    using client = await connectRaw(haproxy.port, { host });
    await client.write(Buffer.from('CONNECT'));
    const { client: arrived, accepted } = await receiver.arrival();
    const socket = socketOf(arrived);
    expect(accepted).toMatchObject({
      header: { version },
      link: {
        source: { address: host, port: client.socket.localPort },
        destination: { address: host, port: haproxy.port },
      },
    });
    expect((await once(socket.resume(), 'data')).toString()).toBe('CONNECT');
  });

  test('unique id, checksum and the SSL TLV of a client without TLS', async () => {
    await using receiver = await startReceiver('node', { opens: false });
    const send = 'send-proxy-v2-ssl-cn proxy-v2-options unique-id,crc32c,authority';
    await using haproxy = await inFront(receiver, '', send);
    using client = await connectRaw(haproxy.port);
    const uniqueId = `127.0.0.1:${client.socket.localPort}-${haproxy.port}`;
    expect(await facts(receiver)).toEqual({ authority: null, uniqueId, ssl: null });
  });

  test('a health check says LOCAL: the connection’s own addresses count', async () => {
    await using receiver = await startReceiver('node', { opens: false });
    await using _haproxy = await inFront(receiver, '', 'send-proxy-v2 check inter 200ms check-send-proxy');
    const { own, accepted } = await receiver.arrival();
    expect(accepted).toMatchObject({ kind: 'accepted', link: own, header: { version: 2, link: null } });
  });
});

describe('TLS that a real HAProxy has terminated', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('send-proxy-v2-ssl-cn, %s with a certificate', async version => {
    await using receiver = await startReceiver('node', { opens: false });
    const send = 'send-proxy-v2-ssl-cn proxy-v2-options ssl-cipher,cert-sig,cert-key,authority,unique-id,crc32c';
    await using haproxy = await inFront(receiver, tlsBind(), send);
    const client = await openTls(haproxy.port, { ...withCert(), minVersion: version, maxVersion: version });
    const told = await facts(receiver);
    expect(told).toMatchObject({ authority: SERVER, uniqueId: expect.stringContaining(`:${client.localPort}-`) });
    expect(told?.ssl).toEqual({
      version: client.getProtocol(),
      cipher: client.getCipher().name,
      cn: DEVICE,
      certInConnection: true,
      certInSession: true,
      isVerified: true,
    });
    client.destroy();
  });

  test('without a certificate nobody is verified', async () => {
    await using receiver = await startReceiver('node', { opens: false });
    await using haproxy = await inFront(receiver, tlsBind(), 'send-proxy-v2-ssl-cn');
    const client = await openTls(haproxy.port, {});
    const told = await facts(receiver);
    expect(told?.ssl).toMatchObject({ version: client.getProtocol(), cn: null, isVerified: false });
    expect(told && tlsFactsOf(told)).toMatchObject({ clientCert: null, resumed: false });
    client.destroy();
  });

  test('a session that is resumed keeps its certificate, and is known to be resumed', async () => {
    await using receiver = await startReceiver('node', { opens: false });
    await using haproxy = await inFront(receiver, tlsBind(), 'send-proxy-v2-ssl-cn proxy-v2-options authority');
    const secureContext = createSecureContext({
      ...withCert(),
      ca: readFileSync(authority.ca),
      maxVersion: 'TLSv1.2',
    });
    const first = await openTls(haproxy.port, { secureContext });
    const session = await until(() => first.getSession(), { what: 'a session' });
    const before = await facts(receiver, 1);
    first.destroy();
    const second = await openTls(haproxy.port, { secureContext, session });
    expect(second.isSessionReused()).toBe(true);
    const after = await facts(receiver, 2);
    expect(before && tlsFactsOf(before)).toMatchObject({ resumed: false, clientCert: { cn: DEVICE, verified: true } });
    expect(after && tlsFactsOf(after)).toMatchObject({ resumed: true, clientCert: { cn: DEVICE, verified: true } });
    second.destroy();
  });
});

describe('TLS that is terminated here, behind a PROXY header', () => {
  test('a ClientHello in the same chunk as the header is put back for the handshake', async () => {
    let sent = (): void => {};
    const before = (): Promise<void> =>
      new Promise(resolve => {
        sent = resolve;
      });
    await using receiver = await startReceiver('node', { before, opens: false });
    using client = await connectRaw(receiver.port);
    client.socket.removeAllListeners('data');
    const header = 'PROXY TCP4 192.0.2.1 198.51.100.2 50000 8883\r\n';
    await client.write(Buffer.from(header));
    const tls = connectTls({ socket: client.socket, ca: readFileSync(authority.ca), servername: SERVER });
    const secured = once(tls, 'secureConnect');
    await until(() => client.socket.bytesWritten > header.length + 100, { what: 'a ClientHello that is sent' });
    sent();
    const { client: arrived, accepted } = await receiver.arrival();
    const socket = socketOf(arrived);
    expect(accepted).toMatchObject({ kind: 'accepted', link: { source: { address: '192.0.2.1', port: 50_000 } } });
    expect(socket.readableLength).toBeGreaterThan(100);
    const secureContext = createSecureContext({ cert: readFileSync(server), key: readFileSync(server) });
    const here = new TLSSocket(socket, { isServer: true, secureContext });
    await secured;
    tls.write('CONNECT');
    expect((await once(here, 'data')).toString()).toBe('CONNECT');
    here.destroy();
    tls.destroy();
  });
});
