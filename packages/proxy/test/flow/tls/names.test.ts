import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Authority, makeAuthority } from '../../kit/certificates.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { sClient, visit } from './clients.ts';
import { bindConfig, listenTls, type TlsServer } from './tls_server.ts';

async function serverOf(authority: Authority, strictSni: boolean): Promise<TlsServer> {
  const certs: string[] = [];
  for (const [cn, ...names] of [
    ['first.example'],
    ['wild', '*.wild.example'],
    ['exact', 'exact.wild.example', 'X.example'],
  ]) {
    certs.push((await authority.issue({ cn: cn ?? '', ...(names.length === 0 ? {} : { names }) })).bundle);
  }
  return listenTls(bindConfig({ certs, strictSni }));
}

describe('the certificate is chosen by the server name', () => {
  test.each([
    ['first.example', 'first.example'],
    ['a.wild.example', 'wild'],
    ['exact.wild.example', 'exact'],
    ['EXACT.wild.Example', 'exact'],
    ['x.example', 'exact'],
    ['a.b.wild.example', 'first.example'],
    ['wild.example', 'first.example'],
    ['unknown.example', 'first.example'],
    [undefined, 'first.example'],
  ])('%s → %s', async (servername, cn) => {
    await using authority = await makeAuthority();
    await using server = await serverOf(authority, false);
    expect(await visit(server.port, servername === undefined ? {} : { servername })).toMatchObject({ serverCn: cn });
    const sni = servername?.toLowerCase() ?? null;
    expect(server.accepted).toMatchObject([{ kind: 'open', facts: { sni, clientCert: null } }]);
  });
});

describe('P7: strict_sni', () => {
  test.each(['-tls1_2', '-tls1_3'])('%s: an unknown name, and none, get `unrecognized_name`', async version => {
    await using authority = await makeAuthority();
    await using server = await serverOf(authority, true);
    expect(await sClient(server.port, [version, '-servername', 'a.wild.example'])).toContain('hello-back');
    expect(await sClient(server.port, [version, '-servername', 'nobody.example'])).toContain('tlsv1 unrecognized name');
    expect(await sClient(server.port, [version, '-noservername'])).toContain('tlsv1 unrecognized name');
    expect(server.failures()).toEqual([
      { reason: 'unknown_sni', detail: 'nobody.example' },
      { reason: 'unknown_sni', detail: 'no server name' },
    ]);
  });
});

describe('ALPN', () => {
  test('a protocol that both have, none at all, and none in common', async () => {
    await using authority = await makeAuthority();
    const { bundle } = await authority.issue({ cn: 'localhost' });
    await using server = await listenTls(bindConfig({ certs: [bundle], alpn: ['mqtt', 'x-amzn-mqtt-ca'] }));
    expect(await sClient(server.port, ['-alpn', 'h2,mqtt'])).toContain('ALPN protocol: mqtt');
    expect(await sClient(server.port, [])).toContain('hello-back');
    expect(await sClient(server.port, ['-alpn', 'h2'])).toContain('alert no application protocol');
    expect(server.failures()).toMatchObject([{ reason: 'no_alpn' }]);
  });

  test('is not looked at where none is configured', async () => {
    await using authority = await makeAuthority();
    const { bundle } = await authority.issue({ cn: 'localhost' });
    await using server = await listenTls(bindConfig({ certs: [bundle] }));
    expect(await sClient(server.port, ['-alpn', 'h2'])).toContain('hello-back');
  });
});

describe('versions and ciphers', () => {
  test('what is not allowed is refused, what is chosen is told', async () => {
    await using authority = await makeAuthority();
    const { bundle } = await authority.issue({ cn: 'localhost', key: 'rsa' });
    const ciphers = 'ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256';
    await using old = await listenTls(bindConfig({ certs: [bundle], ciphers, curves: 'P-256', maxVersion: 'TLSv1.2' }));
    expect(await sClient(old.port, ['-tls1_3'])).toContain('alert protocol version');
    expect(await sClient(old.port, ['-tls1_2'])).toContain('Server Temp Key: ECDH, prime256v1');
    expect(await sClient(old.port, ['-tls1_2', '-cipher', 'AES256-SHA'])).toContain('alert handshake failure');
    expect(old.accepted).toMatchObject([
      { reason: 'handshake_failed', detail: 'unsupported protocol' },
      { kind: 'open', facts: { version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' } },
      { reason: 'handshake_failed', detail: 'no shared cipher' },
    ]);
    await using young = await listenTls(bindConfig({ certs: [bundle], ciphers, minVersion: 'TLSv1.3' }));
    expect(await sClient(young.port, ['-tls1_2'])).toContain('alert protocol version');
    expect(await visit(young.port)).toMatchObject({ kind: 'echoed' });
    expect(young.accepted.at(-1)).toMatchObject({ facts: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } });
  });
});

describe('P7: what is no TLS', () => {
  test.each([
    ['100c00044d5154540402003c0000', 'an MQTT CONNECT without TLS'],
    [Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'), 'an HTTP request without TLS'],
    ['ff00', 'first byte 0xff'],
  ])('%s is closed, and named', async (hex, detail) => {
    await using authority = await makeAuthority();
    const { bundle } = await authority.issue({ cn: 'localhost' });
    await using server = await listenTls(bindConfig({ certs: [bundle] }));
    using socket = await connectRaw(server.port);
    await socket.write(Buffer.from(hex, 'hex'));
    await socket.waitForEnd();
    expect(socket.bytesIn).toBe(0);
    expect(server.failures()).toEqual([{ reason: 'not_tls', detail }]);
  });
});

test('a folder: bundles, and pairs of .crt and .key as Kubernetes mounts them', async () => {
  await using authority = await makeAuthority();
  await using folder = await makeDirectory('certs');
  const read = (path: string): string => readFileSync(path, 'utf8');
  const pair = await authority.issue({ cn: 'pair.example' });
  const bundle = await authority.issue({ cn: 'bundle.example' });
  folder.write('tls.crt', read(pair.cert));
  folder.write('tls.key', read(pair.key));
  folder.write('ca.crt', read(authority.ca));
  folder.write('bundle.pem', read(bundle.bundle));
  folder.write('.hidden.pem', 'no certificate');
  await using server = await listenTls(bindConfig({ certs: [folder.path] }));
  for (const servername of ['pair.example', 'bundle.example']) {
    expect(await visit(server.port, { servername })).toMatchObject({ serverCn: servername });
  }
  // By name: b comes first.
  expect(await visit(server.port)).toMatchObject({ serverCn: 'bundle.example' });
});
