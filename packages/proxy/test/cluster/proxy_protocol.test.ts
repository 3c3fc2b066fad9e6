/** The PROXY header that `limpet run` sends, as receivers see it that nobody here wrote. */
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { type ConnectionDetails, protocolDecoder } from 'aedes-protocol-decoder';
import { describe, expect, onTestFinished, test } from 'vitest';
import { accepts, type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw, connectFor } from '../kit/connects.ts';
import { type Haproxy, startHaproxy } from '../kit/haproxy.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { startNginx } from '../kit/nginx.ts';
import type { RawSocket } from '../kit/raw_socket.ts';

/** Where clients connect from and to; the number is the frontend's bind. */
const WAYS = [
  ['IPv4', { bind: 0, host: '127.0.0.1', localAddress: '127.0.0.2' }],
  ['IPv6', { bind: 1, host: '::1', localAddress: '::1' }],
  ['IPv4 on a bind for both', { bind: 2, host: '127.0.0.1', localAddress: '127.0.0.3' }],
] as const;
const BINDS = ['127.0.0.1:0', '[::1]:0', '[::]:0'];
const CASES = (['v1', 'v2'] as const).flatMap(version => WAYS.map(([family, way]) => [version, family, way] as const));

/** Polite: leaves when the client does, so that the receiver writes its line. */
function startEndingBroker(): Promise<ScriptedBroker> {
  return startBroker((peer, number) => {
    accepts()(peer, number);
    peer.socket.once('end', () => peer.end());
  });
}

function startBefore(port: number, sendProxy: string | object, check: object | false = false): Promise<Limpet> {
  return startLimpet(
    configFor({ servers: [port], frontend: { bind: BINDS }, backend: { send_proxy: sendProxy, check } }),
  );
}

/** One client that connects and leaves; answers its own view of the connection. */
async function visit(limpet: Limpet, way: (typeof WAYS)[number][1]): Promise<{ from: number; to: number }> {
  const { bind, host, localAddress } = way;
  const to = limpet.port('mqtt', bind);
  const client: RawSocket = await acceptedRaw(to, { clientId: 'visitor' }, { host, localAddress });
  const from = client.socket.localPort ?? 0;
  client.end();
  await client.closed;
  return { from, to };
}

describe.each(CASES)('%s over %s', (version, _family, way) => {
  test('P1: nginx sees the client’s address, and the broker the CONNECT behind it', async () => {
    await using broker = await startEndingBroker();
    await using receiver = await startNginx({ upstream: broker.port });
    await using limpet = await startBefore(receiver.port, version);
    const { from, to } = await visit(limpet, way);
    const [seen] = await until(async () => (await receiver.connections()).length > 0 && receiver.connections(), {
      what: 'a line in the log of nginx',
    });
    const connect = connectFor({ clientId: 'visitor' });
    expect(seen).toEqual({
      source: way.localAddress,
      sourcePort: from,
      destination: way.host,
      destinationPort: to,
      bytesIn: connect.length,
    });
    expect(broker.peers.map(peer => peer.received())).toEqual([connect]);
  });

  test('P1: HAProxy sees the client’s address, and the broker the CONNECT behind it', async () => {
    await using broker = await startEndingBroker();
    await using receiver = await startReceiver(broker.port);
    await using limpet = await startBefore(receiver.port, version);
    const { from, to } = await visit(limpet, way);
    const line = await receiver.process.waitForLine(/^from=.*/);
    expect(line[0]).toBe(`from=[${way.localAddress}]:${from} to=[${way.host}]:${to} id=-`);
    expect(broker.peers.map(peer => peer.received())).toEqual([connectFor({ clientId: 'visitor' })]);
  });
});

function startReceiver(upstream: number): Promise<Haproxy> {
  return startHaproxy(
    port => `defaults
  mode tcp
  log global
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen mqtt
  bind 127.0.0.1:${port} accept-proxy
  log-format "from=[%[src]]:%[src_port] to=[%[dst]]:%[dst_port] id=%[fc_pp_unique_id]"
  server broker 127.0.0.1:${upstream}`,
  );
}

test('the unique id, where it is asked for, is the worker’s name and the session’s number', async () => {
  await using broker = await startEndingBroker();
  await using receiver = await startReceiver(broker.port);
  await using limpet = await startBefore(receiver.port, { version: 2, tlvs: ['unique_id'] });
  await visit(limpet, WAYS[0][1]);
  const [, id] = await receiver.process.waitForLine(/ id=(.+)$/);
  const { session, worker } = await limpet.waitForEvent(event => event.event === 'connect', 'the connect line');
  expect(id).toBe(`${String(worker)}-${String(session)}`);
});

test.each(['v1', 'v2'] as const)(
  '%s: checks arrive as LOCAL (UNKNOWN), clients beside them with their address',
  async version => {
    await using broker = await startMosquitto();
    await using nginx = await startNginx({ upstream: broker.port });
    await using haproxy = await startReceiver(broker.port);
    const check = { type: 'mqtt', inter: '200ms', rise: 1, fall: 1 };
    await using viaNginx = await startBefore(nginx.port, version, check);
    await using viaHaproxy = await startBefore(haproxy.port, version, check);
    for (const limpet of [viaNginx, viaHaproxy]) {
      using client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'real' }, { localAddress: '127.0.0.2' });
      client.end();
      await client.closed;
    }
    const lines = await until(
      async () => {
        const seen = await nginx.connections();
        return seen.filter(line => line.source === null).length >= 3 && seen.some(line => line.source !== null) && seen;
      },
      { what: 'three checks and a client in the log of nginx' },
    );
    const real = lines.filter(line => line.source !== null);
    expect(real.map(line => line.source)).toEqual(['127.0.0.2']);
    const checks = lines.filter(line => line.source === null);
    expect(checks.every(line => line.destination === null && line.bytesIn > 0)).toBe(true);
    // HAProxy gives a LOCAL connection the addresses that it really has: those of the proxy.
    await haproxy.process.waitForLine(/^from=\[127\.0\.0\.2\]/);
    await haproxy.process.waitForLine(
      new RegExp(`^from=\\[127\\.0\\.0\\.1\\]:\\d+ to=\\[127\\.0\\.0\\.1\\]:${haproxy.port} `),
    );
    for (const limpet of [viaNginx, viaHaproxy]) {
      expect(limpet.events(event => JSON.stringify(event).includes('DOWN'))).toEqual([]);
    }
  },
);

/** An aedes whose connections begin with a PROXY header, as aedes-protocol-decoder reads it: of one buffer only. */
async function startAedes(): Promise<{ port: number; seen: ConnectionDetails[] }> {
  const aedes = await Aedes.createBroker();
  const seen: ConnectionDetails[] = [];
  const server = createServer(socket => {
    socket.once('data', first => {
      const details = protocolDecoder(socket, first);
      seen.push(details);
      socket.pause();
      if (details.data !== undefined) socket.unshift(details.data);
      aedes.handle(socket);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(async () => {
    await new Promise<void>(resolve => aedes.close(() => resolve()));
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('aedes does not listen');
  return { port: address.port, seen };
}

test.each(CASES)(
  '%s over %s: aedes-protocol-decoder sees the address, and aedes the client',
  async (version, _family, way) => {
    const aedes = await startAedes();
    await using limpet = await startBefore(aedes.port, version);
    const { bind, host, localAddress } = way;
    using client = await acceptedRaw(limpet.port('mqtt', bind), { clientId: 'a' }, { host, localAddress });
    expect(aedes.seen).toMatchObject([
      {
        isProxy: version === 'v1' ? 1 : 2,
        ipAddress: localAddress,
        port: client.socket.localPort,
        serverIpAddress: host,
        serverPort: limpet.port('mqtt', bind),
        ipFamily: host === '::1' ? 6 : 4,
      },
    ]);
  },
);
