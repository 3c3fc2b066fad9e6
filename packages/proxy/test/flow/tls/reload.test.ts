import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { LimpetError } from '../../../src/errors.ts';
import { createTlsContexts } from '../../../src/tls/contexts.ts';
import type { KeptCertificates } from '../../../src/tls/kept.ts';
import { TicketKeys } from '../../../src/tls/tickets.ts';
import { type Authority, type Issued, makeAuthority } from '../../kit/certificates.ts';
import { until, within } from '../../kit/condition.ts';
import { type Directory, makeDirectory } from '../../kit/directory.ts';
import { visit } from './clients.ts';
import { bindConfig, keptLog, listenTls, type TlsServer } from './tls_server.ts';

const DAY_MS = 86_400_000;

interface Scene extends AsyncDisposable {
  readonly authority: Authority;
  readonly directory: Directory;
  readonly old: Issued;
  readonly renewed: Issued;
}

async function makeScene(): Promise<Scene> {
  const authority = await makeAuthority();
  const directory = await makeDirectory('reload');
  const [old, renewed] = [await authority.issue({ cn: 'old' }), await authority.issue({ cn: 'renewed' })];
  return {
    authority,
    directory,
    old,
    renewed,
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

const text = (path: string): string => readFileSync(path, 'utf8');

/** The server shows the certificate of that name, within the two seconds that are promised. */
async function shows(server: TlsServer, cn: string): Promise<void> {
  const startMs = performance.now();
  const asked = async (): Promise<boolean> => {
    const met = await visit(server.port);
    return met.kind === 'echoed' && met.serverCn === cn;
  };
  await until(asked, { what: `the certificate of ${cn}`, timeoutMs: 5000 });
  expect(performance.now() - startMs).toBeLessThan(2000);
}

async function open(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await within(new Promise(resolve => socket.once('secureConnect', resolve)), { what: 'a TLS connection' });
  return socket;
}

describe('a certificate that is replaced on disk', () => {
  test('is seen by new connections within 2 s; 200 open ones notice nothing', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    await using server = await listenTls(bindConfig({ certs: [path] }));
    const sockets = await Promise.all(Array.from({ length: 200 }, () => open(server.port)));
    let lost = 0;
    for (const socket of sockets) socket.once('close', () => (lost += 1));
    await shows(server, 'old');
    writeFileSync(path, text(scene.renewed.bundle));
    await shows(server, 'renewed');
    const echoes = sockets.map(
      socket => new Promise<string>(resolve => socket.once('data', data => resolve(String(data)))),
    );
    for (const [index, socket] of sockets.entries()) socket.write(`client ${index}`);
    expect(await within(Promise.all(echoes), { what: '200 echoes' })).toEqual(
      sockets.map((_, index) => `client ${index}`),
    );
    expect(lost).toBe(0);
    for (const socket of sockets) socket.destroy();
    expect(server.said.map(({ event }) => event)).toEqual(['tls_certs_loaded']);
  });

  test('a session goes on over the renewal: clients need no full handshake', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    await using server = await listenTls(bindConfig({ certs: [path] }));
    const first = await visit(server.port);
    if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
    writeFileSync(path, text(scene.renewed.bundle));
    await shows(server, 'renewed');
    expect(await visit(server.port, { session: first.session })).toMatchObject({ resumed: true });
  });

  test('by a rename, and by a symbolic link that is turned, as Kubernetes does', async () => {
    await using scene = await makeScene();
    const { directory } = scene;
    const path = directory.write('site.pem', text(scene.old.bundle));
    symlinkSync(scene.old.bundle, directory.file('..data'));
    symlinkSync('..data', directory.file('linked.pem'));
    await using renamed = await listenTls(bindConfig({ certs: [path] }));
    await using linked = await listenTls(bindConfig({ certs: [directory.file('linked.pem')] }));
    renameSync(directory.write('site.new', text(scene.renewed.bundle)), path);
    symlinkSync(scene.renewed.bundle, directory.file('..new'));
    renameSync(directory.file('..new'), directory.file('..data'));
    await shows(renamed, 'renewed');
    await shows(linked, 'renewed');
  });

  test('behind a link into another folder, where nothing tells of changes', async () => {
    await using scene = await makeScene();
    await using elsewhere = await makeDirectory('elsewhere');
    const target = elsewhere.write('site.pem', text(scene.old.bundle));
    symlinkSync(target, scene.directory.file('site.pem'));
    await using server = await listenTls(bindConfig({ certs: [scene.directory.file('site.pem')] }));
    writeFileSync(target, text(scene.renewed.bundle));
    await shows(server, 'renewed');
  });

  test('certificate and key in two files, one after the other, without a complaint', async () => {
    await using scene = await makeScene();
    const cert = scene.directory.write('site.crt', text(scene.old.cert));
    const key = scene.directory.write('site.key', text(scene.old.key));
    await using server = await listenTls(bindConfig({ certs: [cert], key }));
    writeFileSync(cert, text(scene.renewed.cert));
    // In between they do not fit: the old one is still shown.
    await shows(server, 'old');
    writeFileSync(key, text(scene.renewed.key));
    await shows(server, 'renewed');
    expect(server.said.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a file that is added to a folder, and one that is taken away', async () => {
    await using scene = await makeScene();
    const { directory } = scene;
    directory.write('a.pem', text(scene.old.bundle));
    await using server = await listenTls(bindConfig({ certs: [directory.path], strictSni: true }));
    expect((await visit(server.port, { servername: 'renewed' })).kind).toBe('failed');
    directory.write('b.pem', text(scene.renewed.bundle));
    const served = async (name: string): Promise<boolean> =>
      (await visit(server.port, { servername: name })).kind === 'echoed';
    await until(() => served('renewed'), { what: 'the new name', timeoutMs: 3000 });
    renameSync(directory.file('b.pem'), directory.file('.b.pem'));
    await until(async () => !(await served('renewed')), { what: 'the end of the name', timeoutMs: 3000 });
    expect(await served('old')).toBe(true);
  });
});

describe('P9: what cannot be used keeps what was there before, and says so once', () => {
  test.each<[string, string, (scene: Scene) => string]>([
    ['a key of another pair', 'does not fit', scene => text(scene.renewed.cert) + text(scene.old.key)],
    ['half a file', 'no private key', scene => text(scene.renewed.cert)],
    ['rubbish', 'no certificate', () => 'rubbish'],
    ['a broken certificate', 'cannot be read', scene => text(scene.old.bundle).replace('MII', 'AAA')],
  ])('%s', async (_what, message, content) => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    await using server = await listenTls(bindConfig({ certs: [path] }));
    const complaints = (): readonly string[] =>
      server.said.flatMap(one => (one.event === 'tls_cert_kept' ? [one.message] : []));
    writeFileSync(path, content(scene));
    await until(() => complaints().length > 0, { what: 'a complaint', timeoutMs: 5000 });
    expect(complaints()).toEqual([expect.stringContaining(message)]);
    expect(complaints()[0]).toContain(path);
    expect(complaints()[0]).not.toContain('PRIVATE KEY-----');
    expect(await visit(server.port)).toMatchObject({ serverCn: 'old' });
    // The same again is no news; a good one is taken.
    writeFileSync(path, content(scene));
    writeFileSync(path, text(scene.renewed.bundle));
    await shows(server, 'renewed');
    expect(complaints()).toHaveLength(1);
  });

  test('a list of revocations that is no list', async () => {
    await using scene = await makeScene();
    const crl = scene.directory.write('list.crl', text(scene.authority.crl));
    const config = bindConfig({ certs: [scene.old.bundle], clientCa: scene.authority.ca, verify: 'optional', crl });
    await using server = await listenTls(config);
    writeFileSync(crl, '');
    await until(
      () => server.said.some(({ message }) => message.includes(`${crl} holds no certificate revocation list`)),
      {
        what: 'a complaint',
      },
    );
    expect(await visit(server.port)).toMatchObject({ kind: 'echoed' });
  });
});

describe('P9: a process that starts while a file is broken serves what another one has kept', () => {
  /** The kept certificates as they come out of a pipe. */
  const keptOf = async (config: ReturnType<typeof bindConfig>): Promise<KeptCertificates> => {
    await using primary = await listenTls(config);
    return JSON.parse(JSON.stringify(primary.contexts.kept()));
  };

  test('until the file is mended', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    const config = bindConfig({ certs: [path] });
    const kept = await keptOf(config);
    writeFileSync(path, 'rubbish');
    await expect(listenTls(config)).rejects.toMatchObject({ code: 'TLS_CERT_EMPTY' });
    await using server = await listenTls(config, { kept });
    expect(await visit(server.port)).toMatchObject({ serverCn: 'old' });
    writeFileSync(path, text(scene.renewed.bundle));
    await shows(server, 'renewed');
  });

  test('beside one that is not broken, which is as it is on disk', async () => {
    await using scene = await makeScene();
    const { directory } = scene;
    directory.write('a.pem', text(scene.old.bundle));
    directory.write('b.pem', text(scene.old.bundle));
    const config = bindConfig({ certs: [directory.path], strictSni: true });
    const kept = await keptOf(config);
    directory.write('a.pem', 'half a file -----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----');
    directory.write('a.key', text(scene.old.key));
    directory.write('b.pem', text(scene.renewed.bundle));
    await using server = await listenTls(config, { kept });
    expect(await visit(server.port, { servername: 'old' })).toMatchObject({ serverCn: 'old' });
    expect(await visit(server.port, { servername: 'renewed' })).toMatchObject({ serverCn: 'renewed' });
  });

  test('and has no use for them where the files are good', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    const config = bindConfig({ certs: [path] });
    const kept = await keptOf(config);
    writeFileSync(path, text(scene.renewed.bundle));
    await using server = await listenTls(config, { kept });
    expect(await visit(server.port)).toMatchObject({ serverCn: 'renewed' });
  });
});

describe('at the start', () => {
  const codeOf = async (
    make: (scene: Scene) => Partial<Parameters<typeof bindConfig>[0]>,
  ): Promise<[string, string]> => {
    await using scene = await makeScene();
    const config = bindConfig({ certs: [scene.old.bundle], ...make(scene) });
    try {
      (await createTlsContexts(config, new TicketKeys(), keptLog().log)).close();
    } catch (error) {
      if (error instanceof LimpetError) return [error.code, error.message];
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  test.each<[string, (scene: Scene) => Partial<Parameters<typeof bindConfig>[0]>]>([
    ['TLS_FILE_UNREADABLE', () => ({ certs: ['/nowhere/site.pem'] })],
    ['TLS_CERT_EMPTY', scene => ({ certs: [scene.old.key] })],
    ['TLS_CERT_EMPTY', scene => ({ certs: [scene.directory.path] })],
    ['TLS_KEY_MISSING', scene => ({ certs: [scene.old.cert] })],
    ['TLS_KEY_MISMATCH', scene => ({ certs: [scene.old.cert], key: scene.renewed.key })],
    ['TLS_CLIENT_CA_MISSING', () => ({ verify: 'required' })],
    ['TLS_CERT_EMPTY', scene => ({ verify: 'required', clientCa: scene.authority.crl })],
    ['TLS_CRL_EMPTY', scene => ({ verify: 'required', clientCa: scene.authority.ca, crl: scene.authority.ca })],
    ['TLS_CONTEXT_REFUSED', () => ({ ciphers: 'NO-SUCH-CIPHER' })],
  ])('%s', async (code, make) => {
    const [found, message] = await codeOf(make);
    expect(found).toBe(code);
    expect(message).not.toContain('PRIVATE KEY-----');
  });

  test('expiry is warned of', async () => {
    await using authority = await makeAuthority();
    const soon = await authority.issue({ cn: 'soon', validTo: new Date(Date.now() + 6.5 * DAY_MS) });
    const over = await authority.issue({ cn: 'over', validTo: new Date(Date.now() - 1000) });
    await using server = await listenTls(bindConfig({ certs: [soon.bundle, over.bundle] }));
    expect(server.said).toEqual([
      { level: 'warn', event: 'tls_cert_expires', message: expect.stringContaining(`${soon.bundle} ends in 6 days`) },
      { level: 'error', event: 'tls_cert_expired', message: expect.stringContaining(`${over.bundle} has expired`) },
    ]);
  });
});

describe('a reload that reads all files again', () => {
  test('takes them into use when it is told, and not before; unchanged ones keep their contexts and sessions', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    await using server = await listenTls(bindConfig({ certs: [path, scene.renewed.bundle] }));
    const { contexts } = server;
    const other = contexts.choose('renewed');
    const first = await visit(server.port);
    if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
    expect((await contexts.renew())()).toBe(false);
    const third = await scene.authority.issue({ cn: 'third' });
    writeFileSync(path, text(third.bundle));
    const use = await contexts.renew();
    const before = contexts.choose(null);
    use();
    expect(contexts.choose(null)).not.toBe(before);
    expect(contexts.choose('renewed')).toBe(other);
    expect(await visit(server.port, { session: first.session })).toMatchObject({ resumed: true });
    expect(await visit(server.port)).toMatchObject({ serverCn: 'third' });
  });

  test('P9: one bad file refuses all of it, and nothing has changed', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    const good = scene.directory.write('good.pem', text(scene.renewed.bundle));
    await using server = await listenTls(bindConfig({ certs: [path, good] }));
    writeFileSync(good, 'rubbish');
    await expect(server.contexts.renew()).rejects.toBeInstanceOf(LimpetError);
    expect(await visit(server.port)).toMatchObject({ serverCn: 'old' });
  });

  test('another process takes over what was read, without a look at the disk', async () => {
    await using scene = await makeScene();
    const path = scene.directory.write('site.pem', text(scene.old.bundle));
    const config = bindConfig({ certs: [path] });
    await using server = await listenTls(config);
    await using other = await listenTls(config);
    writeFileSync(path, text(scene.renewed.bundle));
    (await server.contexts.renew())();
    const kept = server.contexts.kept();
    writeFileSync(path, 'rubbish');
    if (kept === null) throw new Error('nothing is served');
    (await other.contexts.adopt(JSON.parse(JSON.stringify(kept)) as KeptCertificates))();
    expect(await visit(other.port)).toMatchObject({ serverCn: 'renewed' });
  });
});
