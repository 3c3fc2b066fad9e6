/**
 * PROXY headers of a real HAProxy, byte by byte, beside ours for the same connection.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type ConnectionOptions, connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProxyTlv } from '../../../src/config/resolved.ts';
import { encodeProxyHeader } from '../../../src/dial/proxy_header.ts';
import type { TlsFacts } from '../../../src/stages.ts';
import { type Authority, type Issued, makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { type Haproxy, startHaproxy } from '../../kit/haproxy.ts';
import { connectRaw, RawSocket } from '../../kit/raw_socket.ts';

const UNIQUE_ID = 'lb1/2/77';
const FIXED_BYTES = 16;

let authority: Authority;
let server: Issued;
beforeAll(async () => {
  authority = await makeAuthority();
  server = await authority.issue({ cn: 'mqtt.example.com', names: ['mqtt.example.com'] });
});
afterAll(() => authority[Symbol.asyncDispose]());

/** A client's certificate, as Node wants it. */
async function identity(subject: string): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const { cert, key } = await authority.issue({ cn: null, subject });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** What HAProxy connects to. */
class Sink implements AsyncDisposable {
  readonly #server: Server;
  readonly #arrived: RawSocket[] = [];

  constructor() {
    this.#server = createServer(socket => this.#arrived.push(new RawSocket(socket, 'the sink')));
  }

  async listen(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** The whole header of one connection, the first being 0. */
  async header(index: number): Promise<Buffer> {
    const socket = await until(() => this.#arrived[index], { what: `connection ${index} of HAProxy` });
    const fixed = await socket.waitForBytes(FIXED_BYTES);
    const length = FIXED_BYTES + fixed.readUInt16BE(FIXED_BYTES - 2);
    return (await socket.waitForBytes(length)).subarray(0, length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#arrived) socket[Symbol.dispose]();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function inFront(sink: Sink, bind: string, send: string): Promise<Haproxy> {
  const port = await sink.listen();
  return startHaproxy(
    own => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen front
  bind 127.0.0.1:${own} ${bind}
  unique-id-format ${UNIQUE_ID}
  server sink 127.0.0.1:${port} ${send}
`,
  );
}

function tlsBind(): string {
  return `ssl crt ${server.bundle} ca-file ${authority.ca} verify optional`;
}

async function open(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const ca = readFileSync(authority.ca);
  const socket = connectTls({ host: '127.0.0.1', port, ca, servername: 'mqtt.example.com', ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** Our header for the client's own connection, of which it knows both ends. */
function ours(client: RawSocket['socket'], tlvs: readonly ProxyTlv[], tls: TlsFacts | null): string {
  const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = client;
  const link = {
    source: { address: localAddress, port: localPort },
    destination: { address: remoteAddress, port: remotePort },
    tls,
  };
  return encodeProxyHeader({ version: 2, tlvs }, link, UNIQUE_ID).toString('hex');
}

/** What is known of a connection; `cn` undefined: it has no certificate. */
function factsOf(client: TLSSocket, cn?: string | null): TlsFacts {
  return {
    version: client.getProtocol() ?? '',
    cipher: client.getCipher().name,
    sni: 'mqtt.example.com',
    resumed: client.isSessionReused(),
    clientCert: cn === undefined ? null : { cn, verified: true },
  };
}

const BOTH = 'send-proxy-v2-ssl-cn proxy-v2-options unique-id';

test.each<readonly [send: string, tlvs: readonly ProxyTlv[]]>([
  ['send-proxy-v2', []],
  ['send-proxy-v2 proxy-v2-options unique-id', ['unique_id']],
  ['send-proxy-v2-ssl', ['ssl']],
  ['send-proxy-v2-ssl-cn', ['ssl', 'cn']],
  [BOTH, ['ssl', 'cn', 'unique_id']],
])('%s as HAProxy writes it, for a client without TLS', async (send, tlvs) => {
  await using sink = new Sink();
  await using haproxy = await inFront(sink, '', send);
  using client = await connectRaw(haproxy.port);
  expect((await sink.header(0)).toString('hex')).toBe(ours(client.socket, tlvs, null));
});

test.each<readonly [version: 'TLSv1.2' | 'TLSv1.3', send: string, tlvs: readonly ProxyTlv[], subject: string | null]>([
  ['TLSv1.2', 'send-proxy-v2-ssl', ['ssl'], null],
  ['TLSv1.3', 'send-proxy-v2-ssl-cn', ['ssl', 'cn'], null],
  ['TLSv1.2', 'send-proxy-v2-ssl', ['ssl'], '/CN=meter 7'],
  ['TLSv1.2', 'send-proxy-v2-ssl-cn', ['ssl', 'cn'], '/CN=meter 7'],
  ['TLSv1.3', BOTH, ['unique_id', 'ssl', 'cn'], '/CN=meter 7'],
  ['TLSv1.3', BOTH, ['unique_id', 'cn'], '/O=Example/CN=meter 8'],
  ['TLSv1.3', 'send-proxy-v2-ssl-cn', ['ssl', 'cn'], '/O=nobody'],
  // Of two names the first: what the endpoint of TLS has to tell.
  ['TLSv1.3', 'send-proxy-v2-ssl-cn', ['ssl', 'cn'], '/CN=first/CN=second'],
])('%s, %s (%j) as HAProxy writes it, with the certificate %s', async (version, send, tlvs, subject) => {
  await using sink = new Sink();
  await using haproxy = await inFront(sink, tlsBind(), send);
  const own = subject === null ? {} : await identity(subject);
  const client = await open(haproxy.port, { ...own, minVersion: version, maxVersion: version });
  const cn = subject === null ? undefined : (/CN=([^/]+)/.exec(subject)?.[1] ?? null);
  expect((await sink.header(0)).toString('hex')).toBe(ours(client, tlvs, factsOf(client, cn)));
  client.destroy();
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a resumed session of %s as HAProxy writes it', async version => {
  await using sink = new Sink();
  await using haproxy = await inFront(sink, tlsBind(), 'send-proxy-v2-ssl-cn');
  const own = { ...(await identity('/CN=meter 7')), ca: readFileSync(authority.ca) };
  const secureContext = createSecureContext({ ...own, minVersion: version, maxVersion: version });
  const first = await open(haproxy.port, { secureContext });
  const sessions: Buffer[] = [];
  first.on('session', session => sessions.push(session));
  const session = version === 'TLSv1.2' ? first.getSession() : await until(() => sessions[0], { what: 'a ticket' });
  expect((await sink.header(0)).toString('hex')).toBe(ours(first, ['ssl', 'cn'], factsOf(first, 'meter 7')));
  const second = await open(haproxy.port, { secureContext, ...(session === undefined ? {} : { session }) });
  expect(second.isSessionReused()).toBe(true);
  expect((await sink.header(1)).toString('hex')).toBe(ours(second, ['ssl', 'cn'], factsOf(second, 'meter 7')));
  first.destroy();
  second.destroy();
});
