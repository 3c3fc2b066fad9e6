import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { ids } from '../kit/crowd.ts';
import { type Directory, makeDirectory } from '../kit/directory.ts';
import { type Limpet, type LogEvent, startLimpet } from '../kit/limpet.ts';
import { type Mosquitto, startMosquitto } from '../kit/mosquitto.ts';
import { keyLines, leaks } from '../kit/secrets.ts';
import { connectSecure, type SecureClient } from '../kit/secure_client.ts';

const workers = 4;
const openCount = 200;
/** Promised are 2 s; a machine that does other things as well may take longer. */
const seenWithinMs = 10_000;
/** With so many in a row every worker has had its turn. */
const inARow = 20;

let broker: Mosquitto;
let authority: Authority;
let directory: Directory;
let named: Readonly<Record<'old' | 'renewed' | 'third', Issued>>;
beforeAll(async () => {
  [broker, authority, directory] = await Promise.all([startMosquitto(), makeAuthority(), makeDirectory('replace')]);
  // One after the other: they write in one list of what the authority has issued.
  const old = await authority.issue({ cn: 'old' });
  const renewed = await authority.issue({ cn: 'renewed' });
  named = { old, renewed, third: await authority.issue({ cn: 'third' }) };
});
afterAll(async () => {
  await Promise.all([broker, authority, directory].map(one => one[Symbol.asyncDispose]()));
});

const text = (path: string): string => readFileSync(path, 'utf8');

/** Connects anew, without a session, until so many in a row are shown that certificate; answers how long that took. */
async function shown(port: number, cn: string): Promise<{ lastOtherMs: number; others: string[] }> {
  const startMs = performance.now();
  const others: string[] = [];
  let lastOtherMs = 0;
  let row = 0;
  let number = 0;
  await until(
    async () => {
      number += 1;
      await using client = await connectSecure(port, { clientId: `look-${cn}-${number}` });
      if (client.serverCn === cn) row += 1;
      else {
        row = 0;
        others.push(client.serverCn);
        lastOtherMs = performance.now() - startMs;
      }
      return row === inARow;
    },
    { what: `${inARow} connections in a row with the certificate ${cn}`, timeoutMs: seenWithinMs },
  );
  return { lastOtherMs, others: [...new Set(others)] };
}

/** It is said so many times: once for all workers. */
async function said(limpet: Limpet, event: string, times: number): Promise<LogEvent | undefined> {
  const lines = (): LogEvent[] => limpet.events(line => line.event === event);
  await limpet.process.waitUntil(`${times} lines ${event}`, () => lines().length >= times);
  expect(lines()).toHaveLength(times);
  return lines().at(-1);
}

async function connectCrowd(port: number): Promise<SecureClient[]> {
  const clients: SecureClient[] = [];
  const all = ids('open', openCount);
  for (let first = 0; first < all.length; first += 20) {
    const group = all.slice(first, first + 20);
    clients.push(...(await Promise.all(group.map(clientId => connectSecure(port, { clientId })))));
  }
  return clients;
}

test('P8, P9: a worker that dies while the certificate is broken on disk is replaced by one that serves the old one', async () => {
  const path = directory.write('dying.pem', text(named.old.bundle));
  const ca = directory.write('ca.pem', text(authority.ca));
  const server = { address: `127.0.0.1:${broker.port}`, check: false };
  await using limpet = await startLimpet({
    global: { name: 'lb', workers: 1, hard_stop_after: '2s', log: { level: 'debug' } },
    frontends: { mqtts: { bind: { address: '127.0.0.1:0', tls: { cert: path } }, default_backend: 'mqtt' } },
    backends: {
      mqtt: { servers: { b1: `127.0.0.1:${broker.port}` } },
      secure: { servers: { s1: { ...server, tls: { ca } } } },
    },
  });
  for (const file of [path, ca]) writeFileSync(file, 'rubbish');
  await limpet.process.waitUntil(
    'both complaints',
    () => limpet.events(({ event }) => event === 'tls_cert_kept').length >= 2,
  );
  const [victim = 0] = limpet.workers();
  process.kill(victim, 'SIGKILL');
  await limpet.waitForEvent(({ event, id }) => event === 'worker_ready' && id === 2, 'its successor');
  await using client = await connectSecure(limpet.port('mqtts'), { clientId: 'after-death' });
  expect(client.serverCn).toBe('old');
  await client.ping();
  writeFileSync(path, text(named.renewed.bundle));
  await shown(limpet.port('mqtts'), 'renewed');
  expect(limpet.events(({ event }) => event === 'worker_died')).toHaveLength(1);
  expect(leaks(limpet, keyLines(named.old.key))).toEqual([]);
});

test('a certificate replaced under 200 open connections: none drops, new ones see it within 2 s; a broken one changes nothing and is told', async () => {
  const path = directory.write('site.pem', text(named.old.bundle));
  await using limpet = await startLimpet({
    global: { name: 'lb', workers, hard_stop_after: '2s', log: { level: 'debug' } },
    frontends: { mqtts: { bind: { address: '127.0.0.1:0', tls: { cert: path } }, default_backend: 'mqtt' } },
    backends: { mqtt: { servers: { b1: `127.0.0.1:${broker.port}` } } },
  });
  const port = limpet.port('mqtts');
  const crowd = await connectCrowd(port);
  const stillThere = async (): Promise<number> => {
    await Promise.all(crowd.map(client => client.ping()));
    return crowd.filter(({ isClosed }) => !isClosed).length;
  };
  expect(new Set(crowd.map(({ serverCn }) => serverCn))).toEqual(new Set(['old']));

  // As certbot does it: a new file takes the name of the old one.
  renameSync(directory.write('next.pem', text(named.renewed.bundle)), path);
  const first = await shown(port, 'renewed');
  expect(first.others.filter(cn => cn !== 'old')).toEqual([]);
  await said(limpet, 'tls_certs_loaded', 1);
  expect(await stillThere()).toBe(openCount);

  const broken = {
    'half a file': text(named.third.bundle).slice(0, 300),
    "another certificate's key": text(named.third.cert) + text(named.old.key),
  };
  for (const [index, [what, content]] of Object.entries(broken).entries()) {
    writeFileSync(path, content);
    const last = await said(limpet, 'tls_cert_kept', index + 1);
    expect({ what, level: last?.level, told: String(last?.msg).includes(path) }).toMatchObject({
      level: 'error',
      told: true,
    });
    expect(await shown(port, 'renewed')).toEqual({ lastOtherMs: 0, others: [] });
  }

  // Written in place, not renamed.
  writeFileSync(path, text(named.third.bundle));
  const second = await shown(port, 'third');
  expect(second.others.filter(cn => cn !== 'renewed')).toEqual([]);
  await said(limpet, 'tls_certs_loaded', 2);
  expect(await stillThere()).toBe(openCount);
  const [one, other] = [first, second].map(({ lastOtherMs }) => Math.round(lastOtherMs));
  console.log(`new certificate for all new connections after ${one} and ${other} ms; ${openCount} open ones stayed`);

  const keys = Object.values(named).flatMap(({ key }) => keyLines(key));
  expect(leaks(limpet, keys)).toEqual([]);
  await Promise.all(crowd.map(client => client.leave()));
});
