import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { connectClient } from '../kit/clients.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { type Ended, publish, receiveOne } from '../kit/mosquitto_clients.ts';
import { keyLines, leaks } from '../kit/secrets.ts';

const DAY_MS = 86_400_000;
const password = 'correct horse battery staple';

interface Device {
  readonly issued: Issued | null;
  /** What its mosquitto_pub prints; null: it is let in. */
  readonly alert: RegExp | null;
  /** What the proxy logs. */
  readonly refusal: object;
}

let broker: Mosquitto;
let authority: Authority;
let stranger: Authority;
let server: Issued;
let site: Issued;
let devices: Readonly<Record<string, Device>>;
beforeAll(async () => {
  [broker, authority, stranger] = await Promise.all([
    startMosquitto(),
    makeAuthority(),
    makeAuthority('Somebody else'),
  ]);
  server = await authority.issue({ cn: 'localhost', names: ['localhost'] });
  site = await authority.issue({ cn: 'site', names: ['site.example.com'] });
  const expired = await authority.issue({ cn: 'expired', validTo: new Date(Date.now() - DAY_MS / 2) });
  const revoked = await authority.issue({ cn: 'revoked' });
  await authority.revoke(revoked);
  const bad = (alert: RegExp, issued: Issued, detail: string): Device => {
    return { issued, alert, refusal: { reason: 'bad_client_cert', detail } };
  };
  devices = {
    good: { issued: await authority.issue({ cn: 'device-1', usage: 'clientAuth' }), alert: null, refusal: {} },
    foreign: bad(
      /alert unknown ca/,
      await stranger.issue({ cn: 'device-1' }),
      'unable to verify the first certificate',
    ),
    expired: bad(/alert certificate expired/, expired, 'certificate has expired'),
    revoked: bad(/alert certificate revoked/, revoked, 'certificate revoked'),
    none: {
      issued: null,
      alert: /alert (certificate required|handshake failure)/,
      refusal: { reason: 'no_client_cert' },
    },
  };
});
afterAll(async () => {
  await Promise.all([broker, authority, stranger].map(one => one[Symbol.asyncDispose]()));
});

/** A proxy whose frontends differ by their `tls`. */
function startWith(frontends: Readonly<Record<string, object>>): Promise<Limpet> {
  const bound = Object.entries(frontends).map(([name, tls]) => {
    const bind = { address: '127.0.0.1:0', tls: { cert: [server.bundle, site.bundle], ...tls } };
    return [name, { bind, default_backend: 'mqtt' }];
  });
  return startLimpet({
    global: { name: 'lb', workers: 2, hard_stop_after: '2s', log: { level: 'debug' } },
    frontends: Object.fromEntries(bound),
    backends: { mqtt: { servers: { b1: `127.0.0.1:${broker.port}` } } },
  });
}

/** What every mosquitto client here says: to localhost, which is in the certificate, with a password. */
function words(clientId: string, issued: Issued | null, more: readonly string[] = []): string[] {
  const own = issued === null ? [] : ['--cert', issued.cert, '--key', issued.key];
  return ['-h', 'localhost', '--cafile', authority.ca, ...own, '-i', clientId, '-u', 'user', '-P', password, ...more];
}

function send(limpet: Limpet, frontend: string, clientId: string, issued: Issued | null): Promise<Ended> {
  return publish(limpet.port(frontend), words(clientId, issued, ['-t', `from/${clientId}`, '-m', clientId, '-r']));
}

/** The one line of that kind at a frontend since so many were there. */
function lineAt(limpet: Limpet, event: string, frontend: string, from: number): Promise<unknown> {
  const lines = (): object[] => limpet.events(line => line.event === event && line.frontend === frontend);
  return limpet.process.waitUntil(`a line ${event} of ${frontend}`, () => lines()[from]);
}

/** Every device knocks at a frontend; answers how many were let in, and how many refused. */
async function allKnock(limpet: Limpet, frontend: string, version: string, isOptional: boolean): Promise<number[]> {
  let [entered, refused] = [0, 0];
  for (const [name, { issued, alert, refusal }] of Object.entries(devices)) {
    const clientId = `${frontend}-${name}-${version}`;
    const { code, text } = await send(limpet, frontend, clientId, issued);
    if (alert === null || (isOptional && issued === null)) {
      expect({ clientId, code, text }).toMatchObject({ code: 0 });
      const line = await lineAt(limpet, 'connect', frontend, entered);
      expect(line).toMatchObject({ client_id: clientId, tls: version, sni: 'localhost' });
      if (issued !== null) expect(line).toMatchObject({ cert_cn: 'device-1' });
      await broker.waitForClient(clientId);
      entered += 1;
    } else {
      expect({ clientId, isRefused: code !== 0 && alert.test(text), text }).toMatchObject({ isRefused: true });
      expect(await lineAt(limpet, 'refused', frontend, refused)).toMatchObject(refusal);
      expect(broker.connections().filter(one => one.clientId === clientId)).toEqual([]);
      refused += 1;
    }
  }
  return [entered, refused];
}

describe.each(['1.2', '1.3'])('TLS %s', version => {
  test('P7: mosquitto with a good certificate is served; with none, a foreign, expired or revoked one it hears why and reaches no broker', async () => {
    const asked = { client_ca: authority.ca, crl: authority.crl, min_version: version, max_version: version };
    await using limpet = await startWith({
      required: { ...asked, verify: 'required' },
      optional: { ...asked, verify: 'optional' },
    });
    const required = await allKnock(limpet, 'required', `TLSv${version}`, false);
    const optional = await allKnock(limpet, 'optional', `TLSv${version}`, true);
    expect({ required, optional }).toEqual({ required: [1, 4], optional: [2, 3] });

    const { good } = devices;
    const received = await receiveOne(limpet.port('required'), [
      ...words(`sub-${version}`, good?.issued ?? null),
      '-t',
      `from/required-good-TLSv${version}`,
    ]);
    expect(received).toEqual({ code: 0, text: `required-good-TLSv${version}` });
    console.log(`TLS ${version}: required let in and refused ${required}, optional ${optional}`);

    const keys = Object.values(devices).flatMap(({ issued }) => (issued === null ? [] : keyLines(issued.key)));
    expect(leaks(limpet, [password, ...keys, ...keyLines(server.bundle)])).toEqual([]);
    // That log knows the devices.
    expect(leaks(limpet, ['device-1'])).toEqual(['device-1']);
  });
});

describe('the bind says which versions and names there are', () => {
  test('P7: a client of another version hears so', async () => {
    await using limpet = await startWith({ old: { max_version: '1.2' }, modern: { min_version: '1.3' } });
    const late = await publish(
      limpet.port('old'),
      words('late', null, ['--tls-version', 'tlsv1.3', '-t', 'a', '-m', 'b']),
    );
    expect(late.code).not.toBe(0);
    expect(late.text).toMatch(/protocol version/);
    const tls12 = { protocol: 'mqtts', rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const;
    await expect(connectClient(limpet.port('modern'), { clientId: 'early', mqtt: tls12 })).rejects.toThrow(
      /protocol version/,
    );
    for (const frontend of ['old', 'modern']) {
      expect(await lineAt(limpet, 'refused', frontend, 0)).toMatchObject({ reason: 'handshake_failed' });
    }
    expect(broker.connections().filter(({ clientId }) => clientId === 'late' || clientId === 'early')).toEqual([]);
  });

  test('a server name chooses the certificate; a wrong one gets the first, and with strict_sni an alert', async () => {
    await using limpet = await startWith({ lax: {}, strict: { strict_sni: true } });
    // mosquitto checks the name itself: what it asked for is in no certificate.
    const byAddress = (clientId: string, more: readonly string[]): string[] => {
      const said = ['-h', '127.0.0.1', '--cafile', authority.ca, '-i', clientId, '-t', 'a', '-m', 'b'];
      return [...said, ...more];
    };
    const wrong = await publish(limpet.port('lax'), byAddress('picky', []));
    expect(wrong.code).not.toBe(0);
    expect(wrong.text).toMatch(/certificate verify failed/);
    expect((await publish(limpet.port('lax'), byAddress('careless', ['--insecure']))).code).toBe(0);
    const strict = await publish(limpet.port('strict'), byAddress('unknown', ['--insecure']));
    expect(strict.code).not.toBe(0);
    expect(strict.text).toMatch(/unrecognized name/);
    expect(await lineAt(limpet, 'refused', 'strict', 0)).toMatchObject({ reason: 'unknown_sni' });
    expect((await send(limpet, 'strict', 'known', null)).code).toBe(0);

    // mqtt.js, which checks the name as well, is shown the other certificate; without a name it is refused.
    const tls = { protocol: 'mqtts', ca: readFileSync(authority.ca) } as const;
    const named = { ...tls, servername: 'site.example.com' };
    for (const frontend of ['lax', 'strict']) {
      await using client = await connectClient(limpet.port(frontend), { clientId: `site-${frontend}`, mqtt: named });
      expect(client.mqtt.connected).toBe(true);
    }
    const nameless = { ...tls, rejectUnauthorized: false };
    await expect(connectClient(limpet.port('strict'), { clientId: 'nameless', mqtt: nameless })).rejects.toThrow(
      /unrecognized name/,
    );
    expect(await lineAt(limpet, 'refused', 'strict', 1)).toMatchObject({ detail: 'no server name' });
    const foreign = { ...nameless, servername: 'other.example.com' };
    await expect(connectClient(limpet.port('strict'), { clientId: 'foreign-name', mqtt: foreign })).rejects.toThrow(
      /unrecognized name/,
    );
    expect(await lineAt(limpet, 'refused', 'strict', 2)).toMatchObject({ detail: 'other.example.com' });
    await using careless = await connectClient(limpet.port('lax'), { clientId: 'lax-name', mqtt: foreign });
    expect(careless.mqtt.connected).toBe(true);
  });
});
