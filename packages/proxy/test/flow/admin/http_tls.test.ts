import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { expect, test } from 'vitest';
import type { TlsBindConfig } from '../../../src/config/resolved.ts';
import { type Issued, makeAuthority } from '../../kit/certificates.ts';
import { within } from '../../kit/condition.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { CONFIG, serve } from './http_server.ts';

function tlsOf(issued: Issued, changes: Partial<TlsBindConfig> = {}): TlsBindConfig {
  return {
    ...{ certs: [issued.cert], key: issued.key, clientCa: null, verify: 'none', crl: null, minVersion: 'TLSv1.2' },
    ...{ maxVersion: 'TLSv1.3', ciphers: null, curves: null, alpn: [], strictSni: false },
    ...changes,
  };
}

/** Status of /healthz, or the code of what went wrong. */
function health(port: number, ca: string, cert?: Issued): Promise<number | string> {
  const own = cert === undefined ? {} : { cert: readFileSync(cert.cert), key: readFileSync(cert.key) };
  const answered = new Promise<number | string>(resolve => {
    const asking = get({ host: '127.0.0.1', port, path: '/healthz', ca: readFileSync(ca), agent: false, ...own });
    asking.on('response', response => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return within(answered, { what: 'an answer over TLS' });
}

test('TLS as on binds: trusted by who trusts the authority, and clients are checked', async () => {
  await using authority = await makeAuthority();
  const ours = await authority.issue({ cn: 'lb1', names: ['IP:127.0.0.1'] });
  const friend = await authority.issue({ cn: 'friend' });
  await using served = await serve({ tls: tlsOf(ours) });
  expect(await health(served.port, authority.ca)).toBe(200);
  using plain = await connectRaw(served.port);
  await plain.write(Buffer.from('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  await plain.waitForEnd();
  expect(plain.received().toString()).not.toContain('HTTP/1.1 200');

  const { port } = served;
  await served.server.reconfigure({ ...CONFIG, tls: tlsOf(ours, { clientCa: authority.ca, verify: 'required' }) });
  expect(served.port).toBe(port);
  expect(await health(port, authority.ca, friend)).toBe(200);
  expect(await health(port, authority.ca)).not.toBe(200);

  // And back to none.
  await served.server.reconfigure(CONFIG);
  expect((await served.ask('/healthz')).status).toBe(200);
});

test('a certificate that cannot be used changes nothing', async () => {
  await using authority = await makeAuthority();
  const ours = await authority.issue({ cn: 'lb1', names: ['IP:127.0.0.1'] });
  await using served = await serve({ tls: tlsOf(ours) });
  const broken = tlsOf({ ...ours, cert: `${ours.cert}.gone` });
  await expect(served.server.reconfigure({ ...CONFIG, tls: broken })).rejects.toMatchObject({
    code: expect.stringMatching(/^TLS_/),
  });
  expect(await health(served.port, authority.ca)).toBe(200);
});
