import { describe, expect, test } from 'vitest';
import type { TlsBindConfig } from '../../../src/config/resolved.ts';
import { TicketKeys } from '../../../src/tls/tickets.ts';
import { type Authority, type Issued, makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { pair, sClient, visit } from './clients.ts';
import { bindConfig, listenTls, type TlsServer } from './tls_server.ts';

const DAY_MS = 86_400_000;

interface Pki extends AsyncDisposable {
  readonly authority: Authority;
  readonly server: Issued;
  readonly good: Issued;
  listen(given?: Partial<TlsBindConfig>): Promise<TlsServer>;
}

async function makePki(): Promise<Pki> {
  const authority = await makeAuthority();
  const server = await authority.issue({ cn: 'localhost', names: ['localhost'] });
  const good = await authority.issue({ cn: 'device-1', usage: 'clientAuth' });
  const terms = { certs: [server.bundle], clientCa: authority.ca, verify: 'required' as const };
  const listen = (given: Partial<TlsBindConfig> = {}) => listenTls(bindConfig({ ...terms, ...given }));
  return { authority, server, good, listen, [Symbol.asyncDispose]: () => authority[Symbol.asyncDispose]() };
}

const args = ({ cert, key }: Issued): readonly string[] => ['-cert', cert, '-key', key];

describe.each(['-tls1_2', '-tls1_3'])('%s: verify: required', version => {
  test('a good certificate is let in, with its name', async () => {
    await using pki = await makePki();
    await using server = await pki.listen({ crl: pki.authority.crl });
    expect(await sClient(server.port, [version, ...args(pki.good)])).toContain('hello-back');
    expect(server.accepted).toMatchObject([
      {
        kind: 'open',
        facts: {
          version: version === '-tls1_2' ? 'TLSv1.2' : 'TLSv1.3',
          resumed: false,
          clientCert: { cn: 'device-1', verified: true },
        },
      },
    ]);
  });

  test('P7: none, foreign, expired, not valid yet, revoked, made for servers: each ends with its own alert', async () => {
    await using pki = await makePki();
    await using stranger = await makeAuthority('Somebody else');
    const { authority } = pki;
    const revoked = await authority.issue({ cn: 'revoked' });
    await authority.revoke(revoked);
    await using server = await pki.listen({ crl: authority.crl });
    const cases: readonly [Issued | null, string, string][] = [
      [null, version === '-tls1_2' ? 'alert handshake failure' : 'alert certificate required', 'no certificate'],
      [await stranger.issue({ cn: 'device-1' }), 'alert unknown ca', 'unable to verify the first certificate'],
      [
        await authority.issue({ cn: 'old', validTo: new Date(Date.now() - DAY_MS / 2) }),
        'alert certificate expired',
        'certificate has expired',
      ],
      [
        await authority.issue({ cn: 'new', validFrom: new Date(Date.now() + DAY_MS) }),
        'alert bad certificate',
        'certificate is not yet valid',
      ],
      [revoked, 'alert certificate revoked', 'certificate revoked'],
      [
        await authority.issue({ cn: 'web', usage: 'serverAuth' }),
        'alert unsupported certificate',
        'unsuitable certificate purpose',
      ],
    ];
    for (const [issued, alert, detail] of cases) {
      const printed = await sClient(server.port, [version, ...(issued === null ? [] : args(issued))]);
      expect(printed).toContain(alert);
      expect(printed).not.toContain('hello-back');
      await until(() => server.failures().at(-1)?.detail === detail, {
        what: `the reason ${detail}`,
        seen: () => JSON.stringify(server.failures()),
      });
      expect(server.failures().at(-1)?.reason).toBe(issued === null ? 'no_client_cert' : 'bad_client_cert');
    }
    await until(() => server.open === 0, { what: 'the end of all connections' });
    expect(await sClient(server.port, [version, ...args(pki.good)])).toContain('hello-back');
  });

  test('P7: a control character in the common name is refused', async () => {
    await using pki = await makePki();
    await using server = await pki.listen();
    const evil = await pki.authority.issue({ cn: null, subject: '/CN=a\u0007b' });
    expect(await sClient(server.port, [version, ...args(evil)])).toContain('alert bad certificate');
    expect(server.failures()).toEqual([{ reason: 'bad_client_cert', detail: 'control character in the common name' }]);
  });

  test('verify: optional lets in whoever has none, and refuses a bad one', async () => {
    await using pki = await makePki();
    await using stranger = await makeAuthority('Somebody else');
    await using server = await pki.listen({ verify: 'optional' });
    expect(await sClient(server.port, [version])).toContain('hello-back');
    expect(await sClient(server.port, [version, ...args(pki.good)])).toContain('hello-back');
    const foreign = await stranger.issue({ cn: 'device-1' });
    expect(await sClient(server.port, [version, ...args(foreign)])).toContain('alert unknown ca');
    const clients = server.accepted.map(one => (one.kind === 'open' ? one.facts.clientCert : one.reason));
    expect(clients).toEqual([null, { cn: 'device-1', verified: true }, 'bad_client_cert']);
  });
});

test.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])(
  'P7: the alert can be read under %s',
  async suite => {
    await using pki = await makePki();
    await using stranger = await makeAuthority('Somebody else');
    await using server = await pki.listen();
    const foreign = await stranger.issue({ cn: 'device-1' });
    const printed = await sClient(server.port, ['-tls1_3', '-ciphersuites', suite, ...args(foreign)]);
    expect(printed).toContain(`Cipher is ${suite}`);
    expect(printed).toContain('alert unknown ca');
  },
);

describe('a resumed session', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s brings the certificate that it began with', async version => {
    await using pki = await makePki();
    await using server = await pki.listen();
    const options = { ...pair(pki.good), minVersion: version, maxVersion: version };
    const first = await visit(server.port, options);
    if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
    expect(await visit(server.port, { ...options, session: first.session })).toMatchObject({ resumed: true });
    const clientCert = { cn: 'device-1', verified: true };
    expect(server.accepted).toMatchObject([
      { facts: { resumed: false, clientCert } },
      { facts: { resumed: true, clientCert } },
    ]);
  });

  test('does not get past an authority, or a revocation, that came after it', async () => {
    await using pki = await makePki();
    await using server = await pki.listen({ crl: pki.authority.crl });
    const first = await visit(server.port, pair(pki.good));
    if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
    await pki.authority.revoke(pki.good);
    await until(() => server.said.some(({ event }) => event === 'tls_certs_loaded'), { what: 'the new list' });
    const second = await visit(server.port, { ...pair(pki.good), session: first.session });
    expect(second.kind).toBe('failed');
    expect(server.failures()).toEqual([{ reason: 'bad_client_cert', detail: 'certificate revoked' }]);
  });

  test('of a bind without certificates is worth nothing on one that wants them', async () => {
    await using pki = await makePki();
    const tickets = new TicketKeys();
    const open = bindConfig({ certs: [pki.server.bundle] });
    await using anybody = await listenTls(open, { tickets });
    await using strict = await listenTls({ ...open, clientCa: pki.authority.ca, verify: 'required' }, { tickets });
    const first = await visit(anybody.port);
    if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
    expect((await visit(strict.port, { session: first.session })).kind).toBe('failed');
    expect(strict.failures()).toEqual([{ reason: 'no_client_cert', detail: 'no certificate' }]);
  });
});
