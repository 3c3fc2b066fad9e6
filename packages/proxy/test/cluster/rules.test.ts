import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { connectClient } from '../kit/clients.ts';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { arrive, connectLight, type LightOptions } from '../kit/light_client.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { connectSecure } from '../kit/secure_client.ts';

/** A client's certificate, as Node wants it. */
function pair(issued: Issued): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(issued.cert), key: readFileSync(issued.key) };
}

/** Each backend has one broker of its own, so that the broker's log says which rule held. */
const backends = ['other', 'tenant', 'gateway', 'user', 'one', 'pattern', 'path', 'five', 'source'];
/** MQTT 3.1.1, table 3.1, and 5.0, table 3-1. */
const words: Readonly<Record<string, readonly [v3: string, v5: string]>> = {
  not_authorized: ['0x05', '0x87'],
  banned: ['0x05', '0x8a'],
  server_unavailable: ['0x03', '0x88'],
  busy: ['0x03', '0x89'],
  quota: ['0x03', '0x97'],
  identifier_rejected: ['0x02', '0x85'],
};
const routes = [
  { when: { client_id: { prefix: ['test-', 'tmp-'] }, source: '127.0.7.0/24' }, refuse: 'banned' },
  ...Object.keys(words).map(refuse => ({ when: { client_id: `refuse-${refuse}` }, refuse })),
  { when: { sni: 'tenant-a.example.com' }, backend: 'tenant' },
  { when: { cert_cn: { regex: '^gateway-[0-9]+$' } }, backend: 'gateway' },
  { when: { username: ['alice', 'bob'] }, backend: 'user' },
  { when: { client_id: ['one', 'uno'] }, backend: 'one' },
  { when: { client_id: { regex: '^dev-[0-9]+/' } }, backend: 'pattern' },
  { when: { path: '/special' }, backend: 'path' },
  { when: { version: '5.0' }, backend: 'five' },
  { when: { source: ['127.0.9.0/24', '::1'] }, backend: 'source' },
];

let brokers: Brokers;
let authority: Authority;
let server: Issued;
let limpet: Limpet;
beforeAll(async () => {
  [brokers, authority] = await Promise.all([startBrokers(backends.length), makeAuthority()]);
  server = await authority.issue({ cn: 'localhost' });
  const address = '127.0.0.1:0';
  const tls = { cert: server.bundle, client_ca: authority.ca, verify: 'optional' };
  const routed = { routes, default_backend: 'other' };
  const alone = backends.map((name, index) => [name, { servers: { b: brokers.address(`b${index + 1}`) } }]);
  limpet = await startLimpet({
    global: { name: 'lb', workers: 2, hard_stop_after: '2s' },
    frontends: {
      mqtt: { bind: [address, { address, tls }, { address, websocket: { path: ['/mqtt', '/special'] } }], ...routed },
      named: { bind: { address, tls: { ...tls, verify: 'required' } }, default_backend: 'by_name' },
    },
    backends: {
      ...Object.fromEntries(alone),
      by_name: { stick: { on: 'cert_cn' }, servers: brokers.servers() },
    },
  });
});
afterAll(async () => {
  await limpet[Symbol.asyncDispose]();
  for (const one of [brokers, authority]) await one[Symbol.asyncDispose]();
});

/** The backend whose broker has accepted that client. */
async function landed(clientId: string): Promise<string | undefined> {
  await brokers.shares([clientId]);
  const [home = ''] = brokers.homes().get(clientId) ?? [];
  return backends[Number(home.slice(1)) - 1];
}

async function plain(options: LightOptions): Promise<string | undefined> {
  await using _client = await connectLight(limpet.port('mqtt'), options);
  return landed(options.clientId);
}

async function secure(clientId: string, servername: string, issued: Issued | null): Promise<string | undefined> {
  const tls = { servername, ...(issued === null ? {} : pair(issued)) };
  await using _client = await connectSecure(limpet.port('mqtt', 1), { clientId, tls });
  return landed(clientId);
}

test('the first rule that holds chooses the backend: server name, certificate, user, client id, version, source; else the default', async () => {
  const gateway = await authority.issue({ cn: 'gateway-17', usage: 'clientAuth' });
  const almost = await authority.issue({ cn: 'gateway-x', usage: 'clientAuth' });
  const seen = {
    nothing: await plain({ clientId: 'nothing' }),
    tenant: await secure('by-sni', 'Tenant-A.example.com', null),
    tenantFirst: await secure('by-sni-too', 'tenant-a.example.com', gateway),
    gateway: await secure('by-cert', 'localhost', gateway),
    almost: await secure('by-no-cert', 'localhost', almost),
    user: await plain({ clientId: 'by-user', username: 'bob' }),
    noUser: await plain({ clientId: 'by-no-user', username: 'bobby' }),
    one: await plain({ clientId: 'uno' }),
    pattern: await plain({ clientId: 'dev-12/a' }),
    noPattern: await plain({ clientId: 'a-dev-12/a' }),
    five: await plain({ clientId: 'by-version', version: 5 }),
    source: await plain({ clientId: 'by-source', localAddress: '127.0.9.44' }),
    prefixOnly: await plain({ clientId: 'test-elsewhere' }),
  };
  expect(seen).toEqual({
    nothing: 'other',
    tenant: 'tenant',
    tenantFirst: 'tenant',
    gateway: 'gateway',
    almost: 'other',
    user: 'user',
    noUser: 'other',
    one: 'one',
    pattern: 'pattern',
    noPattern: 'other',
    five: 'five',
    source: 'source',
    prefixOnly: 'other',
  });
  const paths: (string | undefined)[] = [];
  for (const path of ['/special', '/mqtt']) {
    const clientId = `ws${path}`;
    await using _client = await connectClient(limpet.port('mqtt', 2), { clientId, mqtt: { protocol: 'ws', path } });
    paths.push(await landed(clientId));
  }
  expect(paths).toEqual(['path', 'other']);
});

test('P7: a rule that refuses says so in the version of the client, and no broker hears of it', async () => {
  const answers: Record<string, string[]> = {};
  for (const word of Object.keys(words)) {
    const both = ([4, 5] as const).map(version => arrive(limpet.port('mqtt'), { clientId: `refuse-${word}`, version }));
    answers[word] = (await Promise.all(both)).map(({ outcome }) => outcome.replace('refused ', ''));
  }
  expect(answers).toEqual(words);
  const banned = await arrive(limpet.port('mqtt'), { clientId: 'tmp-7', localAddress: '127.0.7.1' });
  expect(banned.outcome).toBe('refused 0x05');
  const heard = [...brokers.homes().keys()].filter(id => id.startsWith('refuse-') || id === 'tmp-7');
  expect(heard).toEqual([]);
  console.log(`refused: ${JSON.stringify(answers)}`);
});

test('P2: stuck by the name in its certificate, a device comes home under any client id', async () => {
  const homes = new Map<string, Set<string>>();
  for (const cn of ['device-a', 'device-b', 'device-c']) {
    const tls = pair(await authority.issue({ cn, usage: 'clientAuth' }));
    for (let visit = 0; visit < 5; visit += 1) {
      const clientId = `${cn}-visit-${visit}`;
      await using _client = await connectSecure(limpet.port('named'), { clientId, tls });
      await brokers.shares([clientId]);
      const [home = ''] = brokers.homes().get(clientId) ?? [];
      homes.set(cn, (homes.get(cn) ?? new Set()).add(home));
    }
  }
  expect([...homes.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
  expect(new Set([...homes.values()].flatMap(set => [...set])).size).toBe(3);
});
