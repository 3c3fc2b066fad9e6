import { describe, expect, test } from 'vitest';
import type { Accepted } from '../../src/listen/accepted.ts';
import { until } from '../kit/condition.ts';
import { QUIET, TestMover } from '../kit/mover.ts';
import { connectRaw, type RawSocket } from '../kit/raw_socket.ts';
import { relayKinds } from '../kit/relay_kind.ts';

/** So many clients, one after the other. */
async function connectAll(port: number, count: number): Promise<RawSocket[]> {
  const clients: RawSocket[] = [];
  for (let made = 0; made < count; made += 1) clients.push(await connectRaw(port));
  return clients;
}

describe.each(relayKinds)('a listener of the %s relay', kind => {
  test('a client that was accepted and found no room comes in when its listener closes', async () => {
    using mover = new TestMover(kind);
    const refused: Accepted[] = [];
    const letIn: Accepted[] = [];
    const { listener, port } = await mover.listen({
      accepted: client => refused.push(client) === 0,
      acceptedAnyway: client => letIn.push(client),
      room: () => 0,
    });
    using client = await connectRaw(port);
    await until(() => refused.length === 1, { what: 'the client at the listener' });
    listener.close();
    expect(letIn).toEqual(refused);
    letIn[0]?.open(0).write(Buffer.from('in'));
    expect((await client.waitForBytes(2)).toString()).toBe('in');
    letIn[0]?.reset();
  });

  // Node's closes its copy of the socket, and here nobody else has one.
  test.runIf(kind === 'native')(
    'no more are accepted than there is room for, and one; the others wait, in their order',
    async () => {
      using mover = new TestMover(kind);
      const inside: Accepted[] = [];
      let [asked, room] = [0, 2];
      const { listener, port } = await mover.listen({
        accepted: client => {
          asked += 1;
          return inside.length < room && inside.push(client) > 0;
        },
        room: () => room - inside.length,
      });
      const clients = await connectAll(port, 5);
      await until(() => asked === 3, { what: 'the third one to find no room' });
      expect(inside).toHaveLength(2);
      expect(mover.streams()).toBe(3);
      room = 5;
      listener.resume();
      await until(() => inside.length === 5, { what: 'all to come in' });
      expect(inside.map(({ source }) => source?.port)).toEqual(clients.map(({ socket }) => socket.localPort));
      for (const client of clients) client[Symbol.dispose]();
    },
  );

  test('one that retires accepts nobody any more; who was accepted and found no room comes in when there is some', async () => {
    using mover = new TestMover(kind);
    const asked: Accepted[] = [];
    let hasRoom = false;
    const { listener, port } = await mover.listen({
      accepted: client => asked.push(client) > 0 && hasRoom,
      room: () => 0,
    });
    using client = await connectRaw(port);
    await until(() => asked.length === 1, { what: 'the client at the listener' });
    expect(listener.retire()).toBe(true);
    listener.resume();
    expect([asked.length, listener.retire()]).toEqual([2, true]);
    hasRoom = true;
    listener.resume();
    expect([asked.length, listener.retire(), listener.promised]).toEqual([3, false, 0]);
    asked[2]?.open(0).write(Buffer.from('in'));
    expect((await client.waitForBytes(2)).toString()).toBe('in');
    asked[2]?.reset();
  });

  test('it lacks its handle until it has come, and not while it is paused or closed', async () => {
    using mover = new TestMover(kind);
    const { listener } = await mover.listen({});
    expect(listener.lacksHandle).toBe(false);
    let asked = 0;
    const other = mover.listener({ ...QUIET, wantsHandle: () => (asked += 1) });
    const lacking = [other.lacksHandle];
    for (const act of [() => other.pause(), () => other.resume(), () => other.close()]) {
      act();
      lacking.push(other.lacksHandle);
    }
    expect([lacking, asked]).toEqual([[true, false, true, false], 1]);
  });

  test('one that left while it was kept is not let in', async () => {
    using mover = new TestMover(kind);
    const seen: Accepted[] = [];
    const letIn: Accepted[] = [];
    const { listener, port } = await mover.listen({
      accepted: client => seen.push(client) === 0,
      acceptedAnyway: client => letIn.push(client),
      room: () => 0,
    });
    const client = await connectRaw(port);
    await until(() => seen.length === 1, { what: 'the client at the listener' });
    seen[0]?.reset();
    await until(() => seen[0]?.isGone === true, { what: 'the end of the one that is kept' });
    listener.close();
    expect(letIn).toEqual([]);
    client[Symbol.dispose]();
  });

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.3'],
    ['::1', '::1'],
    ['::', '127.0.0.3'],
    ['::', '::1'],
  ])('a bind to %s: a client that comes to %s is told with both its addresses', async (bind, host) => {
    using mover = new TestMover(kind);
    const clients: Accepted[] = [];
    const { port } = await mover.listen({ accepted: client => clients.push(client) > 0 }, bind);
    using client = await connectRaw(port, { host });
    const accepted = await until(() => clients[0], { what: 'the client' });
    const { localAddress, localPort } = client.socket;
    expect(accepted.source).toEqual({ address: localAddress, port: localPort });
    expect(accepted.destination).toEqual({ address: host, port });
    accepted.reset();
  });
});
