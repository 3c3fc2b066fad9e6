import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { Connector, type ConnectorDesk } from '../../../src/dial/connector.ts';
import { DepartureBoard } from '../../../src/dial/departures.ts';
import type { Candidate } from '../../../src/route/placement.ts';
import { inbound } from '../account/sessions.ts';
import { backend, server } from '../route/backend.ts';

const CANDIDATE: Candidate = {
  kind: 'server',
  target: { config: server('a'), address: '127.0.0.1' },
  choice: { backend: 'emqx', server: 'a', how: 'new', degraded: false },
};

/** What is asked only of a server that is dialled. */
const SILENT: Pick<ConnectorDesk, 'script' | 'tls' | 'count'> = {
  count: {
    picked: () => expect.unreachable(),
    ended: () => expect.unreachable(),
    authenticated: () => expect.unreachable(),
  },
  script: () => expect.unreachable(),
  tls: () => expect.unreachable(),
};

function connector(desk: Omit<ConnectorDesk, keyof typeof SILENT>): Connector {
  const shop = {
    name: 'lb1/1',
    wheel: new TimerWheel(),
    departures: new DepartureBoard([], 0, 1),
    engine: null,
    starved() {},
  };
  return new Connector(inbound(), backend([server('a')]), shop, { ...SILENT, ...desk });
}

test('a client that goes while its server is looked for is not dialled: it would oust the session that came after it', async () => {
  let found: (candidate: Candidate) => void = () => {};
  const made = connector({
    next: () => new Promise(resolve => (found = resolve)),
    seen: () => expect.unreachable(),
    trying: () => expect.unreachable(),
  });
  const result = made.run();
  made.cancel();
  found(CANDIDATE);
  expect(await result).toEqual({ kind: 'cancelled' });
});

test.each(['down', 'full'] as const)('P5: nobody can be dialled because all are %s', async why => {
  const made = connector({
    next: async () => ({ kind: 'nobody', why }),
    seen: () => expect.unreachable(),
    trying: () => expect.unreachable(),
  });
  expect(await made.run()).toEqual({ kind: 'nobody', why, last: null, retries: 0 });
});

test.each(['auth', 'none'] as const)(
  'P3: a WebSocket broker that answers with %s is linked, and only one that asks for AUTH has accepted nobody yet',
  async kind => {
    const broker = createServer(socket => socket.on('error', () => {}).end('!')).listen(0, '127.0.0.1');
    await once(broker, 'listening');
    const address = broker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const config = server('a', { port, websocket: { path: '/mqtt' } });
    const shop = {
      name: 'lb1/1',
      wheel: new TimerWheel(),
      departures: new DepartureBoard([], 0, 1),
      engine: null,
      starved() {},
    };
    const counted: string[] = [];
    const made = new Connector(inbound(), backend([config]), shop, {
      next: async () => ({ ...CANDIDATE, target: { config, address: '127.0.0.1' } }),
      seen: () => expect.unreachable(),
      count: { picked: () => counted.push('picked'), ended: () => counted.push('ended'), authenticated() {} },
      trying() {},
      script: () => ({
        first: Buffer.alloc(0),
        isSilent: false,
        read: chunk => ({ kind: 'answered', answer: { kind }, toClient: chunk, mqtt: chunk }),
      }),
      tls: () => null,
    });
    const connecting = await made.run();
    broker.close();
    expect(connecting).toMatchObject({ kind: 'linked', isAccepted: kind === 'none' });
    expect(counted).toEqual(['picked', 'ended']);
    if (connecting.kind === 'linked') connecting.link.server.reset();
  },
);
