/** WebSocket clients and their brokers: those that get plain MQTT, and those that get the client's own frames. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { accepts, connack, startBroker } from '../kit/broker.ts';
import { makeAuthority } from '../kit/certificates.ts';
import { connectClient } from '../kit/clients.ts';
import { landingsOf, strays } from '../kit/cluster.ts';
import { until, within } from '../kit/condition.ts';
import { connectFor } from '../kit/connects.ts';
import { ids } from '../kit/crowd.ts';
import { startForeign } from '../kit/foreign_broker.ts';
import type { Limpet } from '../kit/limpet.ts';
import { type Nats, startNats } from '../kit/nats.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { ownFrames, startWaysIn } from '../kit/ways_in.ts';
import { openWebSocket } from '../kit/web_socket.ts';
import { frame, ILLEGAL } from '../unit/websocket/frames.ts';

const CLIENTS = 12;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function upgrade(more: readonly string[] = [], line = 'GET /mqtt HTTP/1.1'): Buffer {
  const fields = ['Host: localhost', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${KEY}`];
  return Buffer.from([line, ...fields, 'Sec-WebSocket-Protocol: mqtt', ...more, '', ''].join('\r\n'));
}

const ASKS = ['Connection: Upgrade', 'Upgrade: websocket'];

describe('P2: a client id stays at its broker over WebSocket', () => {
  /** Every client comes over each way in turn. */
  async function visit(limpet: Limpet, ca: string, ways: readonly ('mqtt' | 'mqtts' | 'ws' | 'wss')[]): Promise<void> {
    for (const protocol of ways) {
      for (const clientId of ids('device', CLIENTS)) {
        const tls = { ca, servername: 'localhost' };
        const mqtt = { protocol, path: '/mqtt', ...tls, wsOptions: tls };
        await using client = await connectClient(limpet.port(protocol), { clientId, clean: false, mqtt });
        expect(client.connack.returnCode).toBe(0);
      }
    }
  }

  async function expectSticky(limpet: Limpet, visits: number): Promise<void> {
    const landed = await until(
      async () => {
        const map = await landingsOf(limpet, ids('device', CLIENTS));
        return [...map.values()].every(names => names.length === visits) && map;
      },
      { what: `${visits} lines about each client` },
    );
    expect(strays(landed)).toEqual([]);
    const shares = ['n1', 'n2'].map(name => [...landed.values()].filter(([first]) => first === name).length);
    expect(shares).toEqual([CLIENTS / 2, CLIENTS / 2]);
    console.log(`${CLIENTS} clients, ${visits} visits each, at one broker each: ${shares.join(' and ')}`);
  }

  async function withBrokers(
    servers: (nats: Nats) => object | string,
    ways: readonly ('mqtt' | 'mqtts' | 'ws' | 'wss')[],
  ) {
    await using authority = await makeAuthority();
    const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
    await using n1 = await startNats();
    await using n2 = await startNats();
    const options = { certificate, workers: 2, ways: [...new Set(ways)] };
    await using limpet = await startWaysIn({ ...options, servers: { n1: servers(n1), n2: servers(n2) } });
    await visit(limpet, readFileSync(authority.ca, 'utf8'), ways);
    await expectSticky(limpet, ways.length);
  }

  test('unwrapped: over mqtt, mqtts, ws and wss to the plain listener of NATS', async () => {
    await withBrokers(nats => `127.0.0.1:${nats.port}`, ['mqtt', 'ws', 'mqtts', 'wss', 'ws']);
  });

  test('frames untouched: over ws and wss to the WebSocket listener of NATS', async () => {
    await withBrokers(nats => ownFrames(nats.webSocketPort), ['ws', 'wss', 'ws', 'wss']);
  });
});

describe('frames untouched: a broker that does not want the client is left for the next one', () => {
  test('P5: CONNACK 0x03, and 503 and 403 to the upgrade; the client sees one CONNACK; the last broker sees who it is', async () => {
    await using authority = await makeAuthority();
    const certificate = await authority.issue({ cn: 'localhost', names: ['localhost'] });
    await using busy = await startForeign({ code: 3 });
    await using down = await startForeign({ status: 503 });
    await using closed = await startForeign({ status: 403 });
    await using good = await startForeign();
    const brokers = { busy, down, closed, good };
    const servers = Object.fromEntries(Object.entries(brokers).map(([name, { port }]) => [name, ownFrames(port)]));
    const backend = { balance: 'first', retries: 3 };
    await using limpet = await startWaysIn({ certificate, ways: ['ws', 'wss'], servers, backend });
    for (const way of ['ws', 'wss']) {
      const ws = { localAddress: '127.0.0.5', headers: { 'X-Forwarded-For': '198.51.100.9', 'X-Own': 'kept' } };
      const tls = way === 'wss' ? { ca: authority.ca } : {};
      using client = await openWebSocket(limpet.port(way), { path: '/mqtt?token=1', ws, ...tls });
      await client.send(connectFor({ clientId: `over-${way}` }));
      expect((await client.waitForBytes(4)).toString('hex')).toBe(connack(4, 0).toString('hex'));
      await client.send(Buffer.from('c000', 'hex'));
      const peer = good.peers.at(-1);
      await until(() => peer?.messages.length === 2, { what: 'the PINGREQ' });
      expect(peer?.messages.map(message => message.toString('hex'))).toEqual([
        connectFor({ clientId: `over-${way}` }).toString('hex'),
        'c000',
      ]);
      expect(peer?.target).toBe('/mqtt?token=1');
      expect(peer?.headers['x-forwarded-for']).toBe('127.0.0.5');
      expect(peer?.headers['x-forwarded-proto']).toBe(way === 'wss' ? 'https' : 'http');
      expect(peer?.headers['x-own']).toBe('kept');
      // The client has offered permessage-deflate.
      expect(peer?.headers['sec-websocket-extensions']).toBeUndefined();
      expect(client.ws.extensions).toBe('');
    }
    expect(good.peers.length).toBe(2);
    expect([busy.upgrades, down.upgrades, closed.upgrades].every(count => count >= 1)).toBe(true);
    const first = await limpet.waitForEvent(({ event }) => event === 'connect', 'the line of a session');
    expect(first).toMatchObject({ server: 'good', retries: 3 });
  });

  test('P7: nobody wants it: a CONNACK of its own version in a frame, then a Close', async () => {
    await using down = await startForeign({ status: 503 });
    await using limpet = await startWaysIn({ ways: ['ws'], servers: { down: ownFrames(down.port) } });
    for (const level of [4, 5] as const) {
      using client = await openWebSocket(limpet.port('ws'));
      await client.send(connectFor({ clientId: 'unwanted', level }));
      expect(await within(client.closed, { what: 'a Close' })).toBe(1000);
      expect(client.received().toString('hex')).toBe(connack(level, level === 5 ? 0x88 : 3).toString('hex'));
    }
    expect(down.peers.length).toBe(0);
  });

  test('P7: a message that has the CONNECT in it and never ends reaches no broker, and speaks against none', async () => {
    await using broker = await startForeign();
    const defaults = { timeout: { inspect: '1s', connack: '1s' } };
    await using limpet = await startWaysIn({ ways: ['ws'], servers: { b: ownFrames(broker.port) }, defaults });
    using client = await openWebSocket(limpet.port('ws'));
    await client.send(connectFor({ clientId: 'endless' }), false);
    await within(client.closed, { what: 'the end of it' });
    const refused = await limpet.waitForEvent(({ event }) => event === 'refused', 'a line about it');
    expect(refused).toMatchObject({ reason: 'too_late' });
    expect(broker.upgrades).toBe(0);
    using other = await openWebSocket(limpet.port('ws'));
    await other.send(connectFor({ clientId: 'whole' }));
    await other.waitForBytes(4);
  });

  test('the broker’s own Close reaches the client as it is', async () => {
    await using broker = await startForeign();
    await using limpet = await startWaysIn({ ways: ['ws'], servers: { b: ownFrames(broker.port) } });
    using client = await openWebSocket(limpet.port('ws'));
    await client.send(connectFor({ clientId: 'closed-by-it' }));
    await client.waitForBytes(4);
    broker.peers[0]?.ws.close(4321, 'own reason');
    expect(await within(client.closed, { what: 'a Close' })).toBe(4321);
  });
});

/** What came behind the head of an HTTP answer; null: it is not whole. */
function behindHead(bytes: Buffer): Buffer | null {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? null : bytes.subarray(end + 4);
}

/** Sends the upgrade and these bytes in turn, and answers everything that was received until the end. */
async function talk(port: number, sent: readonly Buffer[], between: number): Promise<RawSocket> {
  const client = await connectRaw(port);
  await client.write(upgrade(ASKS));
  for (const [index, bytes] of sent.entries()) {
    const wanted = index * between;
    await until(() => (behindHead(client.received())?.length ?? -1) >= wanted, { what: 'what comes before' });
    await client.write(bytes);
  }
  await client.waitForEnd();
  client.end();
  return client;
}

describe('P7: what a WebSocket client must not do gets the right close code', () => {
  const closeOf = (code: number): string => Buffer.of(0x88, 2, code >> 8, code & 0xff).toString('hex');
  const accepted = Buffer.concat([Buffer.of(0x82, 4), connack(4, 0)]);

  test(`${ILLEGAL.length} cases, before the CONNECT and behind the CONNACK; none of their bytes reach the broker`, async () => {
    await using broker = await startBroker(accepts());
    await using limpet = await startWaysIn({ ways: ['ws'], servers: { b: `127.0.0.1:${broker.port}` } });
    const port = limpet.port('ws');
    const connect = connectFor({ clientId: 'wrong' });
    const before = await Promise.all(ILLEGAL.map(({ bytes }) => talk(port, [bytes], 0)));
    const reached = broker.peers.length;
    const hello = frame({ payload: connect });
    const behind = await Promise.all(ILLEGAL.map(({ bytes }) => talk(port, [hello, bytes], accepted.length)));
    const told = ILLEGAL.map(({ what }, index) => ({
      what,
      before: behindHead(before[index]?.received() ?? Buffer.alloc(0))?.toString('hex'),
      behind: behindHead(behind[index]?.received() ?? Buffer.alloc(0))?.toString('hex'),
    }));
    expect(told).toEqual(
      ILLEGAL.map(({ what, code }) => ({
        what,
        before: closeOf(code),
        behind: `${accepted.toString('hex')}${closeOf(code)}`,
      })),
    );
    // A message may begin well and go wrong in its second frame.
    expect(reached).toBe(0);
    expect(broker.peers.length).toBe(ILLEGAL.length);
    for (const client of [...before, ...behind]) client[Symbol.dispose]();
    console.log(`${ILLEGAL.length * 2} wrong clients got the right close code`);
  });

  test('wrong path 404, no upgrade 426, wrong origin 403; no broker is reached', async () => {
    await using broker = await startBroker(accepts());
    const websocket = { origins: ['https://good.example'] };
    await using limpet = await startWaysIn({ ways: ['ws'], servers: { b: `127.0.0.1:${broker.port}` }, websocket });
    const ask = async (request: Buffer): Promise<string> => {
      using client = await connectRaw(limpet.port('ws'));
      await client.write(request);
      await until(() => behindHead(client.received()) !== null, { what: 'an answer' });
      return client.received().toString('latin1').split(' ')[1] ?? '';
    };
    expect(await ask(upgrade(ASKS, 'GET /other HTTP/1.1'))).toBe('404');
    expect(await ask(upgrade())).toBe('426');
    expect(await ask(upgrade([...ASKS, 'Origin: https://evil.example']))).toBe('403');
    expect(await ask(upgrade([...ASKS, 'Origin: https://good.example']))).toBe('101');
    const reasons = (): unknown[] => limpet.events(({ event }) => event === 'refused').map(({ reason }) => reason);
    await until(() => reasons().length >= 3, { what: 'three lines', seen: () => reasons().join(' ') });
    expect(reasons().slice(0, 3)).toEqual(['websocket_wrong_path', 'websocket_no_upgrade', 'websocket_wrong_origin']);
    expect(broker.peers.length).toBe(0);
  });
});
