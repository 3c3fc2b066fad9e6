/** One buffer for the reads of all sockets: on this Node, for each kind of socket, and with nothing written over too early. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { NOBODY } from '../../src/endpoint.ts';
import { SocketSource } from '../../src/gate/header_source.ts';
import { lend, ownCopy } from '../../src/lent_bytes.ts';
import { copyOfRead, readStatically } from '../../src/static_read.ts';
import { TcpEndpoint } from '../../src/tcp_endpoint.ts';
import { streamBytes } from '../kit/broker.ts';
import { until, within } from '../kit/condition.ts';
import { untilStill } from '../kit/still.ts';

/** An accepted socket and its peer. */
async function pair(): Promise<{ accepted: Socket; peer: Socket } & Disposable> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const peer = connect({ host: '127.0.0.1', port: (server.address() as { port: number }).port, allowHalfOpen: true });
  const [accepted] = (await within(once(server, 'connection'), { what: 'a connection' })) as [Socket];
  server.close();
  const dispose = (): void => {
    for (const socket of [accepted, peer]) socket.destroy();
  };
  for (const socket of [accepted, peer]) socket.on('error', () => {});
  return { accepted, peer, [Symbol.dispose]: dispose };
}

test('accepted and dialled sockets are read through it: this Node has the names', async () => {
  using sockets = await pair();
  let got = '';
  for (const socket of [sockets.accepted, sockets.peer]) {
    const take = (bytes: number): boolean => {
      got += copyOfRead(bytes, false).toString();
      return true;
    };
    socket.pause();
    expect(readStatically(socket, take)).toBe(true);
    socket.on('data', () => expect.unreachable('it emits data'));
    socket.resume();
  }
  sockets.peer.write('one ');
  await until(() => got === 'one ', { what: 'the bytes of the peer' });
  sockets.accepted.write('other');
  await until(() => got === 'one other', { what: 'the bytes of the accepted one' });
});

test('P10: a paused one leaves the bytes to the kernel, and tells none', async () => {
  using sockets = await pair();
  const endpoint = new TcpEndpoint(sockets.accepted);
  let heard = 0;
  endpoint.attach({ ...NOBODY, bytes: chunk => (heard += chunk.length) });
  const sent = streamBytes(16_000_000);
  sockets.peer.write(sent);
  await untilStill(() => endpoint.bytesIn, 'a stream that stands');
  expect([heard, endpoint.bytesIn]).toEqual([0, 0]);
  endpoint.resume();
  await until(() => heard === sent.length, { what: 'all of it' });
});

test('P10: one that an earlier stage has read of leaves the bytes to the kernel, until it is resumed', async () => {
  using sockets = await pair();
  const source = new SocketSource(sockets.accepted);
  const taken = new Promise<void>(resolve => {
    source.read({
      bytes() {
        source.giveBack(Buffer.alloc(0));
        resolve();
      },
      gone() {},
    });
  });
  sockets.peer.write('header');
  await within(taken, { what: 'the header' });
  const endpoint = new TcpEndpoint(sockets.accepted, sockets.accepted, 'header'.length);
  const sent = streamBytes(16_000_000);
  let heard = 0;
  endpoint.attach({ ...NOBODY, bytes: chunk => (heard += chunk.length) });
  sockets.peer.write(sent);
  await untilStill(() => endpoint.bytesIn, 'a stream that stands');
  expect(heard).toBe(0);
  // What libuv was reading when it was told to stop.
  expect(endpoint.bytesIn).toBeLessThan(200_000);
  endpoint.resume();
  await until(() => heard === sent.length, { what: 'all of it' });
});

test('P1: bytes that an earlier stage has put back come first', async () => {
  using sockets = await pair();
  sockets.peer.write('header and hello');
  sockets.accepted.resume();
  const [first] = (await once(sockets.accepted, 'data')) as [Buffer];
  sockets.accepted.pause();
  sockets.accepted.removeAllListeners('data');
  sockets.accepted.unshift(first.subarray(7));
  const endpoint = new TcpEndpoint(sockets.accepted, sockets.accepted, 7);
  let heard = '';
  endpoint.attach({ ...NOBODY, bytes: chunk => (heard += chunk.toString()) });
  sockets.peer.write(', more');
  endpoint.resume();
  await until(() => heard === 'and hello, more', { what: 'what was put back, then the rest', seen: () => heard });
  expect(endpoint.bytesIn).toBe('and hello, more'.length);
});

test('nothing is told behind the close, not even what was put back', async () => {
  using sockets = await pair();
  sockets.accepted.unshift(Buffer.from('hello'));
  const endpoint = new TcpEndpoint(sockets.accepted);
  sockets.accepted.destroy();
  await within(once(sockets.accepted, 'close'), { what: 'the close' });
  const heard: string[] = [];
  endpoint.attach({
    bytes: chunk => heard.push(chunk.toString()),
    drained() {},
    ended: () => heard.push('ended'),
    closed: code => heard.push(`closed ${code}`),
  });
  endpoint.resume();
  await until(() => heard.length > 0, { what: 'the close, told' });
  await new Promise(resolve => setImmediate(resolve));
  expect(heard).toEqual(['closed null']);
});

test('P1: what is lent stays as it is while a peer that is slow has not taken it, though others read on', async () => {
  using slow = await pair();
  using busy = await pair();
  using fed = await pair();
  using idle = await pair();
  const passOn = (from: Socket, to: Socket): void => {
    const [source, target] = [new TcpEndpoint(from), new TcpEndpoint(to)];
    source.attach({ ...NOBODY, passesOn: true, bytes: chunk => target.write(chunk) || source.pause() });
    target.attach({ ...NOBODY, drained: () => source.resume() });
    source.resume();
  };
  passOn(fed.accepted, slow.accepted);
  passOn(busy.accepted, idle.accepted);
  const sent = streamBytes(12_000_000);
  fed.peer.write(sent);
  slow.peer.pause();
  await until(() => slow.accepted.writableLength > 0, { what: 'a write that the kernel does not take' });
  const other = streamBytes(3_000_000, 7);
  let others = 0;
  idle.peer.on('data', chunk => (others += chunk.length));
  busy.peer.write(other);
  await until(() => others === other.length, { what: 'the bytes of the other one' });
  const got: Buffer[] = [];
  let bytes = 0;
  slow.peer.on('data', chunk => {
    got.push(chunk);
    bytes += chunk.length;
  });
  slow.peer.resume();
  await until(() => bytes === sent.length, { what: 'all of it', timeoutMs: 20_000 });
  expect(Buffer.concat(got).equals(sent)).toBe(true);
});

test('a small part of a large buffer is set apart, a large part is not, unless it is lent', () => {
  const large = Buffer.allocUnsafeSlow(4096).fill(7);
  const small = ownCopy(large.subarray(1, 65));
  expect([small.length, small.buffer.byteLength, small.equals(large.subarray(1, 65))]).toEqual([64, 64, true]);
  const most = large.subarray(0, 4000);
  expect(ownCopy(most)).toBe(most);
  const own: Buffer[] = [];
  lend(large, 0, 4000, { bytes: chunk => own.push(ownCopy(chunk)) });
  expect(own.map(copy => [copy.buffer === large.buffer, copy.equals(most)])).toEqual([[false, true]]);
});
