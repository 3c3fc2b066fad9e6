import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { LimpetError } from '../../../src/errors.ts';
import { parseCertificate } from '../../../src/tls/certificate.ts';
import { pemBlocks } from '../../../src/tls/pem.ts';
import { makeAuthority } from '../../kit/certificates.ts';
import { within } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { bindConfig, listenTls } from './tls_server.ts';

const read = (path: string): string => readFileSync(path, 'utf8');

test('a bundle in any order: leaf first, then its issuers', async () => {
  await using root = await makeAuthority('Root');
  const middle = await root.subordinate('Middle');
  const low = await middle.subordinate('Low');
  const issued = await low.issue({ cn: 'Site.Example', names: ['a.example', '*.B.example', 'IP:127.0.0.1'] });
  const parts = [read(low.ca), read(issued.key), read(root.ca), read(issued.cert), read(middle.ca)];
  for (const turned of [parts, [...parts].reverse(), ['Bag Attributes\n  friendlyName: x\n', ...parts]]) {
    const certificate = parseCertificate({ path: 'site.pem', text: turned.join(''), key: null });
    const subjects = pemBlocks(certificate.certPem).map(({ text }) => new X509Certificate(text).subject);
    expect(subjects).toEqual(['CN=Site.Example', 'CN=Low', 'CN=Middle', 'CN=Root']);
    expect(certificate.names).toEqual(['a.example', '*.b.example', 'site.example']);
    expect(certificate.keyPem).toBe(pemBlocks(read(issued.key))[0]?.text);
    expect(Math.abs(certificate.validToMs - Date.now() - 365 * 86_400_000)).toBeLessThan(60_000);
  }
});

test('a client that knows the root only verifies the chain', async () => {
  await using root = await makeAuthority('Root');
  const middle = await root.subordinate('Middle');
  const issued = await middle.issue({ cn: 'localhost', names: ['localhost'] });
  await using directory = await makeDirectory('chain');
  const bundle = directory.write('site.pem', [read(issued.key), read(middle.ca), read(issued.cert)].join(''));
  await using server = await listenTls(bindConfig({ certs: [bundle] }));
  const client = connect({ port: server.port, host: '127.0.0.1', servername: 'localhost', ca: read(root.ca) });
  await within(new Promise((resolve, reject) => client.once('secureConnect', resolve).once('error', reject)), {
    what: 'a verified connection',
  });
  expect(client.authorized).toBe(true);
  client.destroy();
});

test('P11: a key with a passphrase is an error that says what to do, and shows nothing of it', async () => {
  await using authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'locked', key: 'rsa' });
  for (const form of [
    ['pkey', '-aes256'],
    ['rsa', '-aes256', '-traditional'],
  ]) {
    const locked = execFileSync('openssl', [...form, '-in', issued.key, '-passout', 'pass:hush-hush'], {
      stdio: 'pipe',
    }).toString();
    let thrown: unknown = null;
    try {
      parseCertificate({ path: 'site.pem', text: read(issued.cert), key: { path: 'site.key', text: locked } });
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof LimpetError)) throw new Error('nothing was thrown');
    expect([thrown.code, thrown.message]).toEqual([
      'TLS_KEY_UNREADABLE',
      'the private key in site.key has a passphrase',
    ]);
    expect(thrown.cause).toBeUndefined();
  }
});
