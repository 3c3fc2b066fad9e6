import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { TlsServerConfig } from '../../../src/config/resolved.ts';
import { LimpetError } from '../../../src/errors.ts';
import { createBrokerTls, type TlsConnected } from '../../../src/tls/dial_tls.ts';
import { type Authority, type Issued, makeAuthority } from '../../kit/certificates.ts';
import { until, within } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { startMosquitto } from '../../kit/mosquitto.ts';
import { bindConfig, keptLog, listenTls, type TlsServer } from './tls_server.ts';

function serverConfig(given: Partial<TlsServerConfig>): TlsServerConfig {
  return { verify: 'required', ca: null, sni: null, cert: null, key: null, ...given };
}

async function tcp(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  await within(once(socket, 'connect'), { what: 'a connection' });
  return socket;
}

/** Connects once with terms of its own. */
async function dialOnce(port: number, given: Partial<TlsServerConfig>, host = '127.0.0.1'): Promise<TlsConnected> {
  const tls = await createBrokerTls(serverConfig(given), host, keptLog().log);
  try {
    const connected = await within(tls.connect(await tcp(port)).result, { what: 'a result' });
    if (connected.kind === 'open') {
      connected.socket.write('hello');
      await within(once(connected.socket, 'data'), { what: 'the echo' });
      connected.socket.destroy();
    }
    return connected;
  } finally {
    tls.close();
  }
}

interface Scene extends AsyncDisposable {
  readonly authority: Authority;
  readonly issued: Issued;
  readonly server: TlsServer;
}

async function makeScene(
  names: readonly string[],
  given: Partial<Parameters<typeof bindConfig>[0]> = {},
): Promise<Scene> {
  const authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'broker', names });
  const server = await listenTls(bindConfig({ certs: [issued.bundle], clientCa: authority.ca, ...given }));
  return {
    authority,
    issued,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

describe('the certificate of a broker', () => {
  test('must be from a known authority, and for the name or the address of the server', async () => {
    await using scene = await makeScene(['broker.example', 'IP:127.0.0.1']);
    const { port } = scene.server;
    const { ca } = scene.authority;
    expect(await dialOnce(port, { ca })).toMatchObject({ kind: 'open', resumed: false });
    expect(await dialOnce(port, { ca }, 'broker.example')).toMatchObject({ kind: 'open' });
    expect(await dialOnce(port, { ca, sni: 'broker.example' }, 'other.example')).toMatchObject({ kind: 'open' });
    const sni = scene.server.accepted.map(one => (one.kind === 'open' ? one.facts.sni : 'failed'));
    expect(sni).toEqual([null, 'broker.example', 'broker.example']);
    expect(await dialOnce(port, { ca }, 'other.example')).toMatchObject({ kind: 'failed', reason: 'bad_server_cert' });
    // The system knows nothing of our authority.
    const unknown = await dialOnce(port, {});
    expect(unknown).toEqual({
      kind: 'failed',
      reason: 'bad_server_cert',
      detail: 'unable to verify the first certificate',
    });
    expect(await dialOnce(port, { verify: 'none' }, 'other.example')).toMatchObject({ kind: 'open' });
  });

  test('that has expired is refused', async () => {
    await using authority = await makeAuthority();
    const old = await authority.issue({ cn: 'broker', names: ['IP:127.0.0.1'], validTo: new Date(Date.now() - 1000) });
    await using server = await listenTls(bindConfig({ certs: [old.bundle] }));
    const connected = await dialOnce(server.port, { ca: authority.ca });
    expect(connected).toEqual({ kind: 'failed', reason: 'bad_server_cert', detail: 'certificate has expired' });
  });
});

test('our own certificate is shown to brokers that want one; without it, that is a failure', async () => {
  await using scene = await makeScene(['IP:127.0.0.1'], { verify: 'required', maxVersion: 'TLSv1.2' });
  const { authority, server } = scene;
  const own = await authority.issue({ cn: 'lb1', usage: 'clientAuth' });
  expect(await dialOnce(server.port, { ca: authority.ca, cert: own.bundle })).toMatchObject({ kind: 'open' });
  expect(await dialOnce(server.port, { ca: authority.ca, cert: own.cert, key: own.key })).toMatchObject({
    kind: 'open',
  });
  const refused = await dialOnce(server.port, { ca: authority.ca });
  expect(refused).toMatchObject({
    kind: 'failed',
    reason: 'handshake_failed',
    detail: expect.stringMatching(/alert handshake failure$/),
  });
});

test('sessions are resumed, until a file changes', async () => {
  await using scene = await makeScene(['IP:127.0.0.1']);
  await using directory = await makeDirectory('broker-tls');
  const ca = directory.write('ca.pem', readFileSync(scene.authority.ca, 'utf8'));
  const kept = keptLog();
  const tls = await createBrokerTls(serverConfig({ ca }), '127.0.0.1', kept.log);
  const visitBroker = async (): Promise<boolean> => {
    const connected = await within(tls.connect(await tcp(scene.server.port)).result, { what: 'a result' });
    if (connected.kind !== 'open') throw new Error(connected.detail);
    // The ticket comes behind the handshake, before the echo.
    connected.socket.write('hello');
    await within(once(connected.socket, 'data'), { what: 'the echo' });
    connected.socket.destroy();
    return connected.resumed;
  };
  expect([await visitBroker(), await visitBroker(), await visitBroker()]).toEqual([false, true, true]);
  writeFileSync(ca, 'rubbish');
  await until(() => kept.said.some(({ event }) => event === 'tls_cert_kept'), { what: 'a complaint' });
  expect(await visitBroker()).toBe(true);
  writeFileSync(ca, readFileSync(scene.authority.ca));
  await until(async () => !(await visitBroker()), { what: 'a full handshake with the file that is there again' });
  tls.close();
});

test('a session that comes late, from before a change of a file, is not resumed after it', async () => {
  await using scene = await makeScene(['IP:127.0.0.1']);
  await using directory = await makeDirectory('broker-late');
  const ca = directory.write('ca.pem', readFileSync(scene.authority.ca, 'utf8'));
  const tls = await createBrokerTls(serverConfig({ ca }), '127.0.0.1', keptLog().log);
  const visitBroker = async (): Promise<TlsConnected & { kind: 'open' }> => {
    const connected = await within(tls.connect(await tcp(scene.server.port)).result, { what: 'a result' });
    if (connected.kind !== 'open') throw new Error(connected.detail);
    connected.socket.write('hello');
    await within(once(connected.socket, 'data'), { what: 'the echo' });
    return connected;
  };
  const early = await visitBroker();
  const session = early.socket.getSession();
  const before = tls.kept();
  writeFileSync(ca, `# anew\n${readFileSync(scene.authority.ca, 'utf8')}`);
  await until(() => tls.kept() !== before, { what: 'the new file' });
  early.socket.emit('session', session);
  const late = await visitBroker();
  expect(late.resumed).toBe(false);
  const last = await visitBroker();
  expect(last.resumed).toBe(true);
  for (const { socket } of [early, late, last]) socket.destroy();
  tls.close();
});

test('P9: with a broken file at the start, what another process has kept is used, until the file is mended', async () => {
  await using scene = await makeScene(['IP:127.0.0.1']);
  await using directory = await makeDirectory('broker-kept');
  const ca = directory.write('ca.pem', readFileSync(scene.authority.ca, 'utf8'));
  const primary = await createBrokerTls(serverConfig({ ca }), '127.0.0.1', keptLog().log);
  const kept = primary.kept();
  primary.close();
  writeFileSync(ca, 'rubbish');
  const said = keptLog();
  const tls = await createBrokerTls(serverConfig({ ca }), '127.0.0.1', said.log, kept);
  const connected = await within(tls.connect(await tcp(scene.server.port)).result, { what: 'a result' });
  expect(connected.kind).toBe('open');
  if (connected.kind === 'open') connected.socket.destroy();
  expect(said.said).toEqual([]);
  writeFileSync(ca, `# mended\n${readFileSync(scene.authority.ca, 'utf8')}`);
  await until(() => tls.kept()?.ca?.startsWith('# mended') === true, { what: 'the mended file' });
  tls.close();
});

test('a server that is no TLS, one that hangs up, and one that says nothing', async () => {
  const sockets = new Set<Socket>();
  const server = createTcpServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      if (sockets.size === 1) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      if (sockets.size === 2) socket.end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await dialOnce(port, { verify: 'none' })).toMatchObject({
    reason: 'handshake_failed',
    detail: 'wrong version number',
  });
  expect(await dialOnce(port, { verify: 'none' })).toMatchObject({ kind: 'failed', reason: 'handshake_failed' });
  const tls = await createBrokerTls(serverConfig({ verify: 'none' }), '127.0.0.1', keptLog().log);
  const socket = await tcp(port);
  const connecting = tls.connect(socket);
  connecting.cancel();
  connecting.cancel();
  expect(await connecting.result).toEqual({ kind: 'failed', reason: 'handshake_failed', detail: 'too slow' });
  await until(() => socket.destroyed, { what: 'the end of the connection' });
  tls.close();
  for (const one of sockets) one.destroy();
  server.close();
});

test('files that cannot be used are errors at the start', async () => {
  await using authority = await makeAuthority();
  const codeOf = async (given: Partial<TlsServerConfig>): Promise<string> => {
    try {
      (await createBrokerTls(serverConfig(given), 'host', keptLog().log)).close();
    } catch (error) {
      if (error instanceof LimpetError) return error.code;
      throw error;
    }
    return 'none';
  };
  expect(await codeOf({ ca: '/nowhere' })).toBe('TLS_FILE_UNREADABLE');
  expect(await codeOf({ ca: authority.crl })).toBe('TLS_CERT_EMPTY');
  expect(await codeOf({ cert: authority.ca })).toBe('TLS_KEY_MISSING');
});

test('a real broker with TLS', async () => {
  await using authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'broker', names: ['IP:127.0.0.1'] });
  const config = [`cafile ${authority.ca}`, `certfile ${issued.cert}`, `keyfile ${issued.key}`];
  await using broker = await startMosquitto({ config });
  const tls = await createBrokerTls(serverConfig({ ca: authority.ca }), '127.0.0.1', keptLog().log);
  const connected = await within(tls.connect(await tcp(broker.port)).result, { what: 'a result' });
  if (connected.kind !== 'open') throw new Error(connected.detail);
  connected.socket.write(Buffer.from('100d00044d5154540402003c000161', 'hex'));
  const [connack] = await within(once(connected.socket, 'data'), { what: 'CONNACK' });
  expect((connack as Buffer).toString('hex')).toBe('20020000');
  connected.socket.destroy();
  tls.close();
});
