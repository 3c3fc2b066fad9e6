import { describe, expect, test } from 'vitest';
import { makeTicketKey, readRing, type TicketKey, writeRing } from '../../../src/tls/ticket_ring.ts';
import { TicketKeys } from '../../../src/tls/tickets.ts';
import { type Authority, type Issued, makeAuthority } from '../../kit/certificates.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { sClient, visit } from './clients.ts';
import { bindConfig, listenTls, type TlsServer } from './tls_server.ts';

const HOUR_MS = 3_600_000;

/** As it goes from a primary to its workers. */
function sent(ring: readonly TicketKey[]): readonly TicketKey[] {
  const read = readRing(JSON.parse(JSON.stringify(writeRing(ring))));
  if (read === null) throw new Error('the ring does not come back');
  return read;
}

interface Fleet extends AsyncDisposable {
  readonly authority: Authority;
  readonly issued: Issued;
  readonly servers: readonly TlsServer[];
  /** Every worker hears of the ring. */
  share(ring: readonly TicketKey[]): void;
}

/** Four workers of the same bind. */
async function startFleet(): Promise<Fleet> {
  const authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'localhost', names: ['localhost', 'other.example'] });
  const keys = Array.from({ length: 4 }, () => new TicketKeys());
  const servers: TlsServer[] = [];
  for (const tickets of keys) servers.push(await listenTls(bindConfig({ certs: [issued.bundle] }), { tickets }));
  return {
    authority,
    issued,
    servers,
    share(ring) {
      for (const tickets of keys) tickets.setKeys(sent(ring));
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', version => {
  test('a client that always uses its newest ticket resumes every time, on every worker, across rotations', async () => {
    await using fleet = await startFleet();
    let ring: readonly TicketKey[] = [makeTicketKey(0)];
    fleet.share(ring);
    const options = { minVersion: version, maxVersion: version, servername: 'localhost' };
    let session: Buffer | null = null;
    let fullHandshakes = 0;
    for (let count = 0; count < 200; count += 1) {
      // Every 20 connections a new key; the one before the last is forgotten. As in a storm of rotations.
      if (count % 20 === 19) {
        ring = [makeTicketKey(Date.now()), ...ring].slice(0, 2);
        fleet.share(ring);
      }
      const port = fleet.servers[count % 4]?.port ?? 0;
      const met = await visit(port, session === null ? options : { ...options, session });
      if (met.kind !== 'echoed') throw new Error(`connection ${count}: ${met.code}`);
      if (!met.resumed) fullHandshakes += 1;
      // TLS 1.2 gives one a connection, TLS 1.3 too when it resumes.
      expect(met.session, `connection ${count}`).not.toBeNull();
      session = met.session;
    }
    expect(fullHandshakes).toBe(1);
    expect(fleet.servers.flatMap(({ accepted }) => accepted)).toHaveLength(200);
  });

  test('a key that is published opens tickets before it makes any', async () => {
    await using fleet = await startFleet();
    const [one, other] = fleet.servers;
    const current = makeTicketKey(0);
    // The other proxy has heard of the new key and has begun to use it; this one still waits.
    const coming = makeTicketKey(Date.now());
    const early = new TicketKeys();
    early.setKeys([coming, current]);
    await using ahead = await listenTls(bindConfig({ certs: [fleet.issued.bundle] }), { tickets: early });
    fleet.share([{ ...coming, issueFromMs: Date.now() + HOUR_MS }, current]);
    const options = { minVersion: version, maxVersion: version };
    const first = await visit(ahead.port, options);
    if (first.kind !== 'echoed' || first.session === null || !one || !other) throw new Error(JSON.stringify(first));
    expect(await visit(one.port, { ...options, session: first.session })).toMatchObject({ resumed: true });
    const second = await visit(other.port, options);
    if (second.kind !== 'echoed' || second.session === null) throw new Error(JSON.stringify(second));
    expect(await visit(ahead.port, { ...options, session: second.session })).toMatchObject({ resumed: true });
  });

  test('openssl s_client agrees', async () => {
    await using fleet = await startFleet();
    await using directory = await makeDirectory('sessions');
    fleet.share([makeTicketKey(0)]);
    const flag = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
    const file = directory.file('session.pem');
    const ports = fleet.servers.map(({ port }) => port);
    const sni = ['-servername', 'localhost'];
    expect(await sClient(ports[0] ?? 0, [flag, ...sni, '-sess_out', file])).toContain(`New, ${version}`);
    for (const port of ports) {
      expect(await sClient(port, [flag, ...sni, '-sess_in', file, '-sess_out', file])).toContain(`Reused, ${version}`);
    }
  });

  test('a ticket of an unknown key costs a full handshake, nothing else', async () => {
    await using fleet = await startFleet();
    const [one, other] = fleet.servers;
    const options = { minVersion: version, maxVersion: version };
    // Nobody has shared anything: each has a key of its own.
    const first = await visit(one?.port ?? 0, options);
    if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
    const strange = await visit(other?.port ?? 0, { ...options, session: first.session });
    expect(strange).toMatchObject({ kind: 'echoed', resumed: false });
  });
});

test('without a hook in Node there is one key, which fits that of the others', async () => {
  await using authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'localhost' });
  const key = makeTicketKey(0);
  const noHook = new TicketKeys(() => false);
  noHook.setKeys([key]);
  const withHook = new TicketKeys();
  withHook.setKeys([key]);
  await using one = await listenTls(bindConfig({ certs: [issued.bundle] }), { tickets: noHook });
  await using other = await listenTls(bindConfig({ certs: [issued.bundle] }), { tickets: withHook });
  expect([noHook.hasOneKeyOnly, withHook.hasOneKeyOnly]).toEqual([true, false]);
  const first = await visit(one.port);
  if (first.kind !== 'echoed' || first.session === null) throw new Error(JSON.stringify(first));
  expect(await visit(other.port, { session: first.session })).toMatchObject({ resumed: true });
  const second = await visit(other.port);
  if (second.kind !== 'echoed' || second.session === null) throw new Error(JSON.stringify(second));
  expect(await visit(one.port, { session: second.session })).toMatchObject({ resumed: true });
  // A new key is told to the context that cannot ask.
  noHook.setKeys([makeTicketKey(0)]);
  expect(await visit(one.port, { session: second.session })).toMatchObject({ resumed: false });
});
