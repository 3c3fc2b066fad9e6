import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { BindConfig } from '../../src/config/resolved.ts';
import { Listener, type ListenHandle } from '../../src/listen/listener.ts';
import { bindAll } from '../../src/process/sockets.ts';
import { until } from '../kit/condition.ts';
import { connectRaw } from '../kit/raw_socket.ts';

const BIND: BindConfig = {
  label: '127.0.0.1:0',
  host: '127.0.0.1',
  port: 0,
  acceptProxy: [],
  tls: null,
  websocket: null,
};

test('a client that was accepted and found no room comes in when its listener closes', async () => {
  const [bound] = await bindAll(BIND, 1);
  if (bound === undefined) throw new Error('nothing is bound');
  const refused: Socket[] = [];
  await using letIn = new Sockets();
  const listener = new Listener({
    accepted: socket => {
      refused.push(socket);
      return false;
    },
    acceptedAnyway: socket => letIn.add(socket),
    isFull: () => false,
    starved: () => {},
    wantsHandle: () => {},
  });
  listener.start(bound.handle as ListenHandle);
  await listener.opened;
  using client = await connectRaw(bound.port);
  await until(() => refused.length === 1, { what: 'the client at the listener' });
  listener.close();
  expect(letIn.all).toEqual(refused);
  letIn.all[0]?.write('in');
  expect((await client.waitForBytes(2)).toString()).toBe('in');
});

class Sockets implements AsyncDisposable {
  readonly all: Socket[] = [];

  add(socket: Socket): void {
    this.all.push(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.all) socket.destroy();
  }
}
