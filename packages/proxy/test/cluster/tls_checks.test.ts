/**
 * Checks of brokers that speak TLS, in the running program: they decide who gets clients, and follow the files.
 */
import { copyFileSync, renameSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeAuthority } from '../kit/certificates.ts';
import { connectClient } from '../kit/clients.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';

function healthLine(limpet: Limpet, pattern: RegExp): Promise<unknown> {
  const isIt = ({ event, msg }: { event?: string; msg?: unknown }): boolean =>
    event === 'health' && typeof msg === 'string' && pattern.test(msg);
  return limpet.waitForEvent(isIt, `a line like ${pattern}`, 20_000);
}

test('P5: a broker whose certificate is wrong gets no client, and comes back when the file of authorities is right', async () => {
  await using authority = await makeAuthority();
  await using stranger = await makeAuthority('Somebody else');
  await using files = await makeDirectory('authorities');
  const { cert, key } = await authority.issue({ cn: 'broker', names: ['IP:127.0.0.1'] });
  const config = [`certfile ${cert}`, `keyfile ${key}`];
  await using good = await startMosquitto({ config });
  await using doubtful = await startMosquitto({ config });
  const ca = files.file('ca.pem');
  copyFileSync(stranger.ca, ca);
  await using limpet = await startLimpet({
    global: { workers: 2 },
    frontends: { mqtt: { bind: '127.0.0.1:0', default_backend: 'brokers' } },
    backends: {
      brokers: {
        check: { inter: '300ms', fastinter: '100ms', downinter: '300ms', rise: 1, fall: 2 },
        servers: {
          good: { address: `127.0.0.1:${good.port}`, tls: { ca: authority.ca } },
          doubtful: { address: `127.0.0.1:${doubtful.port}`, tls: { ca } },
        },
      },
    },
  });
  await healthLine(limpet, /^server brokers\/doubtful is DOWN, reason: Layer6 invalid response \(/);
  for (const clientId of ['a', 'b', 'c', 'd']) {
    await using client = await connectClient(limpet.port('mqtt'), { clientId });
    await client.end();
  }
  const connects = await limpet.process.waitUntil('four lines of clients', () => {
    const found = limpet.events(({ event }) => event === 'connect');
    return found.length === 4 && found;
  });
  const clients = connects.map(({ server, retries }) => [server, retries]);
  expect(clients).toEqual(Array.from({ length: 4 }, () => ['good', 0]));
  // The checks had their CONNACK within TLS: nobody says that the good one is down.
  expect(good.connections().some(({ clientId }) => clientId.startsWith('limpet-check-'))).toBe(true);
  expect(limpet.events(({ msg }) => /brokers\/good/.test(String(msg)))).toEqual([]);

  copyFileSync(authority.ca, files.file('next.pem'));
  renameSync(files.file('next.pem'), ca);
  await healthLine(limpet, /^server brokers\/doubtful is UP, reason: Layer7 check passed, code: 0/);
});
