import { expect, test } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { Connector, type ConnectorDesk } from '../../../src/dial/connector.ts';
import type { Candidate } from '../../../src/route/placement.ts';
import { inbound } from '../account/sessions.ts';
import { backend, server } from '../route/backend.ts';

const CANDIDATE: Candidate = {
  kind: 'server',
  target: { config: server('a'), address: '127.0.0.1' },
  choice: { backend: 'emqx', server: 'a', how: 'new', degraded: false },
};

/** What is asked only of a server that is dialled. */
const SILENT: Pick<ConnectorDesk, 'script' | 'tls'> = {
  script: () => expect.unreachable(),
  tls: () => expect.unreachable(),
};

function connector(desk: Omit<ConnectorDesk, keyof typeof SILENT>): Connector {
  const shop = { name: 'lb1/1', wheel: new TimerWheel(), starved() {} };
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
