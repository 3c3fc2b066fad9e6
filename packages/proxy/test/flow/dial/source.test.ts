import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { type Attempt, dial } from '../../../src/dial/attempt.ts';
import { DepartureBoard } from '../../../src/dial/departures.ts';
import { tcpScript } from '../../../src/dial/script.ts';
import { createBrokerTls } from '../../../src/tls/dial_tls.ts';
import { makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { TestMover } from '../../kit/mover.ts';
import { freePort } from '../../kit/port.ts';
import { relayKinds } from '../../kit/relay_kind.ts';
import { keptLog } from '../tls/tls_server.ts';

const NOTHING = Buffer.alloc(0);
const UNMIXED = (): number => 0.999;

interface Listener extends AsyncDisposable {
  readonly port: number;
  readonly peers: readonly Socket[];
}

async function listen(host: string, port = 0): Promise<Listener> {
  const peers: Socket[] = [];
  const server: Server = createServer(socket => {
    socket.on('error', () => {});
    peers.push(socket);
  }).listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    peers,
    [Symbol.asyncDispose]: async () => {
      for (const peer of peers) peer.destroy();
      server.close();
    },
  };
}

/** Connects to a port of this host, as a session of `mode: tcp` does. */
function connect(mover: TestMover, port: number, source: readonly string[], board: DepartureBoard): Promise<Attempt> {
  const departures = board.to({ address: '127.0.0.1', port, source });
  const times = { connectMs: 5000, connackMs: 5000 };
  const order = { address: '127.0.0.1', port, header: null, tls: null, departures, script: tcpScript(NOTHING) };
  return dial({ ...order, ...times, engine: mover.engine }, mover.wheel).result;
}

function origin(socket: Socket | undefined): string {
  return `${socket?.remoteAddress} ${socket?.remotePort}`;
}

describe.each(relayKinds)('connections of the %s relay', kind => {
  test('one port reaches two servers at once, and the one that has it already by another port', async () => {
    using mover = new TestMover(kind);
    await using one = await listen('127.0.0.1');
    await using other = await listen('127.0.0.1');
    const [first, second] = [await freePort(), await freePort()];
    const board = new DepartureBoard([first, second], 0, 1, UNMIXED);
    const source = ['127.0.0.21'];
    const made = [await connect(mover, one.port, source, board), await connect(mover, other.port, source, board)];
    made.push(await connect(mover, one.port, source, board));
    expect(made.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);
    await until(() => one.peers.length === 2 && other.peers.length === 1, { what: 'all three' });
    expect(one.peers.map(origin)).toEqual([`127.0.0.21 ${first}`, `127.0.0.21 ${second}`]);
    expect(other.peers.map(origin)).toEqual([`127.0.0.21 ${first}`]);
    const late = await connect(mover, one.port, source, board);
    expect(late).toEqual({ kind: 'local', code: 'EADDRNOTAVAIL: no port left at its source addresses' });

    for (const attempt of made) if (attempt.kind === 'answered') attempt.server.reset();
    await until(async () => (await connect(mover, one.port, source, board)).kind === 'answered', {
      what: 'a port given back',
    });
  });

  test('a port that another program has is passed over', async () => {
    using mover = new TestMover(kind);
    await using server = await listen('127.0.0.1');
    await using taken = await listen('127.0.0.22');
    const free = await freePort();
    const board = new DepartureBoard([taken.port, free], 0, 1, UNMIXED);
    expect((await connect(mover, server.port, ['127.0.0.22'], board)).kind).toBe('answered');
    await until(() => server.peers.length === 1, { what: 'the connection' });
    expect(origin(server.peers[0])).toBe(`127.0.0.22 ${free}`);
  });

  test('a process that knows nothing of the ports of another meets them, and goes on', async () => {
    using mover = new TestMover(kind);
    await using server = await listen('127.0.0.1');
    const ports = [await freePort(), await freePort()];
    const source = ['127.0.0.23'];
    for (const board of [1, 2].map(() => new DepartureBoard(ports, 0, 1, UNMIXED))) {
      expect((await connect(mover, server.port, source, board)).kind).toBe('answered');
    }
    await until(() => server.peers.length === 2, { what: 'both connections' });
    expect(server.peers.map(origin)).toEqual(ports.map(port => `127.0.0.23 ${port}`));
  });

  test('an address that is not on this host is passed over; with no other it is this host’s trouble', async () => {
    using mover = new TestMover(kind);
    await using server = await listen('127.0.0.1');
    const board = new DepartureBoard([await freePort()], 0, 1, UNMIXED);
    expect((await connect(mover, server.port, ['192.0.2.77', '127.0.0.24'], board)).kind).toBe('answered');
    await until(() => server.peers.length === 1, { what: 'the connection' });
    expect(server.peers[0]?.remoteAddress).toBe('127.0.0.24');
    const code = 'EADDRNOTAVAIL: none of its source addresses is on this host';
    expect(await connect(mover, server.port, ['192.0.2.77'], board)).toEqual({ kind: 'local', code });
    expect(await connect(mover, server.port, ['::1'], board)).toEqual({
      kind: 'local',
      code: 'no source address of its family',
    });
  });

  test('a server that refuses is the server’s trouble, from whatever address', async () => {
    using mover = new TestMover(kind);
    const board = new DepartureBoard([await freePort()], 0, 1, UNMIXED);
    const nobody = await freePort();
    expect(await connect(mover, nobody, ['127.0.0.25'], board)).toEqual({ kind: 'dial', code: 'ECONNREFUSED' });
  });
});

test('TLS behind a PROXY header begins there too, and a port that others have costs nothing but a try', async () => {
  await using authority = await makeAuthority();
  const issued = await authority.issue({ cn: 'broker', names: ['IP:127.0.0.1'] });
  const said: Buffer[] = [];
  const contexts = { cert: readFileSync(issued.cert), key: readFileSync(issued.key) };
  const header = Buffer.from('PROXY UNKNOWN\r\n');
  const server = createServer(socket => {
    socket.once('data', (first: Buffer) => {
      said.push(Buffer.from(`${socket.remoteAddress} ${first.subarray(0, header.length)}`));
      // What came behind the header is TLS already.
      socket.pause();
      if (first.length > header.length) socket.unshift(first.subarray(header.length));
      new TLSSocket(socket, { isServer: true, ...contexts })
        .on('error', () => {})
        .on('data', bytes => said.push(bytes));
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await using taken = await listen('127.0.0.26');
  const board = new DepartureBoard([taken.port, await freePort()], 0, 1, UNMIXED);
  const departures = board.to({ address: '127.0.0.1', port, source: ['127.0.0.26'] });
  const terms = { verify: 'required', ca: authority.ca, sni: null, cert: null, key: null } as const;
  const tls = await createBrokerTls(terms, '127.0.0.1', keptLog().log);
  const script = tcpScript(Buffer.from('hello'));
  const order = {
    address: '127.0.0.1',
    port,
    header,
    tls,
    engine: null,
    departures,
    script,
    connectMs: 5000,
    connackMs: 5000,
  };
  const attempt = await dial(order, new TimerWheel()).result;
  expect(attempt.kind === 'dial' ? attempt.code : attempt.kind).toBe('answered');
  await until(() => said.length === 2, { what: 'header and hello', seen: () => said.join() });
  expect(said.map(String)).toEqual(['127.0.0.26 PROXY UNKNOWN\r\n', 'hello']);
  if (attempt.kind === 'answered') attempt.server.reset();
  tls.close();
  server.close();
});
