/** `mode: tcp`: a dashboard in a real browser, protocols whose server speaks first, and TLS that only passes through. */

import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Script, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { dumpPage } from '../kit/browser.ts';
import { type Authority, type Issued, makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { cutEvery, sendInPieces } from '../kit/cut.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { connectRaw } from '../kit/raw_socket.ts';
import { startWebServer, type WebServer } from '../kit/web_server.ts';

let authority: Authority;
let server: Issued;
beforeAll(async () => {
  authority = await makeAuthority();
  server = await authority.issue({ cn: 'localhost', names: ['localhost'] });
});
afterAll(() => authority[Symbol.asyncDispose]());

interface TcpOptions {
  readonly frontend?: object;
  readonly backends: Readonly<Record<string, TcpBackend>>;
}

interface TcpBackend {
  /** Ports of 127.0.0.1. */
  readonly servers: Readonly<Record<string, number>>;
  /** More of its keys. */
  readonly [key: string]: unknown;
}

/** A frontend `tcp`; its default is the first backend. */
function startTcp({ frontend = {}, backends }: TcpOptions): Promise<Limpet> {
  const written = Object.entries(backends).map(([name, { servers, ...keys }]) => {
    const addresses = Object.entries(servers).map(([server_, port]) => [server_, `127.0.0.1:${port}`]);
    return [name, { check: false, ...keys, servers: Object.fromEntries(addresses) }];
  });
  const [first] = Object.keys(backends);
  return startLimpet({
    global: { name: 'lb1', workers: 2, hard_stop_after: '2s' },
    frontends: { tcp: { mode: 'tcp', bind: '127.0.0.1:0', default_backend: first, ...frontend } },
    backends: Object.fromEntries(written),
  });
}

/** A stream of server-sent events that says `word` and stays open. */
async function startEvents(word: string): Promise<number> {
  const open = new Set<ServerResponse>();
  const events = createServer((_, answer) => {
    open.add(answer);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.write(`data: ${word}\n\n`);
  });
  await new Promise<void>(resolve => events.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    for (const answer of open) answer.destroy();
    events.close();
  });
  const address = events.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a dashboard in Chromium', () => {
  test.each(['http', 'https'] as const)('P1: %s: page, script, request and event stream work', async scheme => {
    await using dashboard = await startWebServer({ name: 'nginx', events: await startEvents('the broker') });
    const tls = { cert: server.bundle, alpn: ['http/1.1'] };
    await using limpet = await startTcp({
      frontend: { bind: { address: '127.0.0.1:0', ...(scheme === 'https' ? { tls } : {}) } },
      backends: { dashboard: { servers: { d1: dashboard.port }, check: { type: 'http', path: '/status' } } },
    });
    const page = await dumpPage(`${scheme}://127.0.0.1:${limpet.port('tcp')}/`);
    expect(page).toContain('served by nginx');
    expect(page).toContain('heard the broker');
    const asked = ['/', '/style.css', '/app.js', '/who', '/events'];
    // The stream gets its line when it is over.
    const requests = await until(
      async () => {
        const lines = (await dashboard.requests()).filter(({ uri }) => asked.includes(uri));
        return new Set(lines.map(({ uri }) => uri)).size === asked.length && lines;
      },
      { what: 'every request in the log' },
    );
    expect(requests.filter(({ status }) => status !== 200)).toEqual([]);
    // Connections are kept: several requests came over one.
    expect(Math.max(...requests.map(({ nth }) => nth))).toBeGreaterThan(1);
    const line = await limpet.waitForEvent(({ event }) => event === 'end', 'the end of a connection');
    expect(line).toMatchObject({ frontend: 'tcp', backend: 'dashboard', server: 'd1' });
    expect(line.client_id).toBeUndefined();
    if (scheme === 'https') expect(line.tls).toBe('TLSv1.3');
  });
});

/** A server that speaks first: it says its name, then answers everything at the end of the client's stream. */
function greets(name: string): Script {
  return peer => {
    void peer.write(Buffer.from(`220 ${name}\n`)).catch(() => undefined);
    peer.socket.once('end', () => {
      void peer.write(Buffer.concat([Buffer.from('bye '), peer.received()])).catch(() => undefined);
      peer.end();
    });
  };
}

/** The greeting, without a word from the client. */
async function greeting(port: number, localAddress = '127.0.0.1'): Promise<string> {
  using client = await connectRaw(port, { localAddress });
  const bytes = await until(() => client.received().includes('\n') && client.received(), { what: 'a greeting' });
  return bytes.toString();
}

async function startGreeters(): Promise<[ScriptedBroker, ScriptedBroker]> {
  return [await startBroker(greets('s1')), await startBroker(greets('s2'))];
}

test('P6: a server may speak first; round robin is exact over both workers, and stick on source brings clients home', async () => {
  const [first, second] = await startGreeters();
  await using s1 = first;
  await using s2 = second;
  const servers = { s1: s1.port, s2: s2.port };
  await using turns = await startTcp({ backends: { greeters: { servers } } });
  const inTurn: string[] = [];
  for (let count = 0; count < 10; count += 1) inTurn.push(await greeting(turns.port('tcp')));
  expect(inTurn.filter(line => line === '220 s1\n')).toHaveLength(5);
  await using sticky = await startTcp({ backends: { greeters: { servers, stick: { on: 'source' } } } });
  const homes = new Map<string, Set<string>>();
  for (let round = 0; round < 3; round += 1) {
    for (const from of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']) {
      homes.set(from, (homes.get(from) ?? new Set()).add(await greeting(sticky.port('tcp'), from)));
    }
  }
  expect([...homes.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1]);
  expect(new Set([...homes.values()].flatMap(lines => [...lines])).size).toBe(2);
});

test('P1: a client that has sent all ends its half, and still gets the whole answer', async () => {
  const sent = Buffer.alloc(300_000, 'abcdefg');
  await using s1 = await startBroker(greets('s1'));
  await using limpet = await startTcp({ backends: { greeters: { servers: { s1: s1.port } } } });
  using client = await connectRaw(limpet.port('tcp'));
  await client.write(sent);
  client.end();
  expect(await client.closed).toBe(null);
  const answer = client.received();
  expect(answer.equals(Buffer.concat([Buffer.from('220 s1\nbye '), sent]))).toBe(true);
  const line = await limpet.waitForEvent(({ event }) => event === 'end', 'the end');
  expect(line).toMatchObject({ why: 'client_closed', bytes_in: sent.length, bytes_out: answer.length });
});

test.each([
  ['v1', (from: number, to: number) => Buffer.from(`PROXY TCP4 127.0.0.9 127.0.0.1 ${from} ${to}\r\n`)],
  [
    'v2',
    (from: number, to: number) => {
      const ports = Buffer.alloc(4);
      ports.writeUInt16BE(from, 0);
      ports.writeUInt16BE(to, 2);
      return Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a2111000c7f0000097f000001', 'hex'), ports]);
    },
  ],
] as const)('P1: PROXY %s goes out before the client has said a word', async (version, header) => {
  await using s1 = await startBroker(greets('s1'));
  await using limpet = await startTcp({ backends: { greeters: { servers: { s1: s1.port }, send_proxy: version } } });
  using client = await connectRaw(limpet.port('tcp'), { localAddress: '127.0.0.9' });
  await client.waitForBytes(7);
  const expected = header(client.socket.localPort ?? 0, limpet.port('tcp'));
  const peer = await s1.waitForPeer(0);
  expect((await peer.waitForBytes(expected.length)).toString('hex')).toBe(expected.toString('hex'));
  await client.write(Buffer.from('hello'));
  expect((await peer.waitForBytes(expected.length + 5)).subarray(expected.length).toString()).toBe('hello');
});

test('P5: an http check takes a server out that still accepts; a tcp check one that does not', async () => {
  await using good = await startWebServer({ name: 'good' });
  await using ill = await startWebServer({ name: 'ill', status: 503 });
  const servers = { good: good.port, ill: ill.port };
  const often = { inter: '100ms', fall: 1, rise: 1 };
  await using byHttp = await startTcp({
    backends: { web: { servers, check: { type: 'http', path: '/status', ...often } } },
  });
  await using byTcp = await startTcp({ backends: { web: { servers, check: { type: 'tcp', ...often } } } });
  const isDown = (limpet: Limpet): boolean =>
    limpet.events(({ msg }) => String(msg).includes('server web/ill is DOWN')).length > 0;
  await until(() => isDown(byHttp), { what: 'the verdict by http', seen: () => byHttp.process.tail() });
  expect(await names(byHttp)).toEqual(['good', 'good', 'good', 'good']);
  expect((await names(byTcp)).sort()).toEqual(['good', 'good', 'ill', 'ill']);
  expect(isDown(byTcp)).toBe(false);
  await ill.process.kill('SIGKILL');
  await until(() => isDown(byTcp), { what: 'the verdict by tcp', seen: () => byTcp.process.tail() });
  expect(await names(byTcp)).toEqual(['good', 'good', 'good', 'good']);
});

/** Who answers four requests. */
async function names(limpet: Limpet): Promise<string[]> {
  const answers: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    answers.push(
      await (await fetch(`http://127.0.0.1:${limpet.port('tcp')}/who`, { headers: { connection: 'close' } })).text(),
    );
  }
  return answers;
}

describe('sni_routes', () => {
  const hosts = ['a.example.com', 'b.example.com', 'other.example.com'];
  let webs: WebServer[];
  beforeAll(async () => {
    webs = [];
    for (const host of hosts) {
      webs.push(await startWebServer({ name: host, tls: await authority.issue({ cn: host, names: [host] }) }));
    }
  });
  afterAll(async () => {
    for (const web of webs) await web[Symbol.asyncDispose]();
  });

  function startSni(more: object = {}): Promise<Limpet> {
    const [a = 0, b = 0, other = 0] = webs.map(({ port }) => port);
    return startTcp({
      frontend: { sni_routes: { 'a.example.com': 'a', '*.b.example.com': 'b', 'b.example.com': 'b' }, ...more },
      backends: { other: { servers: { other } }, a: { servers: { a } }, b: { servers: { b } } },
    });
  }

  /** Asks over TLS; answers the name in the certificate, and what the server says its name is. */
  async function ask(port: number, servername: string, version: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
    const ca = readFileSync(authority.ca);
    const versions = { minVersion: version, maxVersion: version };
    // With no name the certificate is checked against the address, which none of them has.
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      ca,
      servername,
      ...versions,
      checkServerIdentity: () => undefined,
    });
    socket.write('GET /who HTTP/1.0\r\n\r\n');
    const cn = new Promise<string>(resolve =>
      socket.once('secureConnect', () => resolve(String(socket.getPeerCertificate().subject.CN))),
    );
    const body = (await text(socket)).split('\r\n\r\n')[1];
    return `${await cn} ${body}`;
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('P1: %s ends at the server that has the name', async version => {
    await using limpet = await startSni();
    const asked = ['a.example.com', 'A.Example.COM', 'b.example.com', 'x.b.example.com', 'c.example.com', ''];
    const answers: string[] = [];
    for (const name of asked) answers.push(await ask(limpet.port('tcp'), name, version));
    const homes = [hosts[0], hosts[0], hosts[1], hosts[1], hosts[2], hosts[2]];
    expect(answers).toEqual(homes.map(host => `${host} ${host}`));
  });

  test('P1: a ClientHello is passed on untouched, however it is cut', async () => {
    await using server_ = await startBroker(() => undefined);
    const client = connectTls({ host: '127.0.0.1', port: server_.port, servername: 'a.example.com' });
    client.on('error', () => undefined);
    const hello = await (await server_.waitForPeer(0)).waitForBytes(100);
    client.destroy();
    await using limpet = await startTcp({
      frontend: { sni_routes: { 'a.example.com': 'a' } },
      backends: { other: { servers: { other: webs[2]?.port ?? 0 } }, a: { servers: { a: server_.port } } },
    });
    const cuts = [hello.length, 200, 37];
    const clients = await sendInPieces(
      limpet.port('tcp'),
      cuts.map(length => cutEvery(hello, length)),
    );
    for (let number = 1; number <= cuts.length; number += 1) {
      const got = await (await server_.waitForPeer(number)).waitForBytes(hello.length);
      expect(got.toString('hex')).toBe(hello.toString('hex'));
    }
    for (const one of clients) one[Symbol.dispose]();
  });

  test('P7: what is not TLS, or never becomes a ClientHello, is refused in time and reaches no server', async () => {
    await using limpet = await startSni({ timeout: { inspect: '500ms' } });
    const before = await Promise.all(webs.map(web => web.requests()));
    const bad = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.of(0x10, 2, 0, 0),
      Buffer.of(0x16, 3, 1),
      Buffer.alloc(0),
    ];
    for (const bytes of bad) {
      using client = await connectRaw(limpet.port('tcp'));
      if (bytes.length > 0) await client.write(bytes);
      await client.waitForEnd(5_000);
      expect(client.bytesIn).toBe(0);
    }
    const refused = await until(
      () => {
        const seen = limpet.events(({ event }) => event === 'refused');
        return seen.length >= bad.length && seen;
      },
      { what: 'a line for each', seen: () => limpet.process.tail() },
    );
    expect(refused.map(({ reason }) => reason)).toEqual(['not_tls', 'not_tls', 'too_late', 'too_late']);
    expect(limpet.events(({ event }) => event === 'connect')).toEqual([]);
    expect(await Promise.all(webs.map(web => web.requests()))).toEqual(before);
  });
});
