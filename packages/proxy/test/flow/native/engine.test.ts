import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { Event, type NativeAddon } from '../../../src/native/addon.ts';
import { loadAddon } from '../../../src/native/load_addon.ts';
import { startBroker } from '../../kit/broker.ts';
import { until, within } from '../../kit/condition.ts';
import { type KernelSocket, kernelSockets } from '../../kit/kernel.ts';
import { connectRaw, type RawSocket } from '../../kit/raw_socket.ts';
import { RawEngine } from './raw_engine.ts';

const { addon } = loadAddon();
const { errno } = constants;

/** Where nothing was built there is nothing to test: the TypeScript relay has tests of its own. */
describe.skipIf(addon === null)('the native engine', () => {
  const start = (): RawEngine => new RawEngine(addon as NativeAddon);

  /** A raw client and the stream that was accepted of it. */
  async function accept(engine: RawEngine) {
    const { listener, port } = await engine.listen(1);
    const client = await connectRaw(port, { localAddress: '127.0.0.9' });
    return { client, listener, port, told: await engine.event(Event.accepted) };
  }

  test('accepts as many as it has credit for, and tells where they come from', async () => {
    using engine = start();
    const { client, listener, port, told } = await accept(engine);
    expect(told.a).toBe(listener);
    expect(told.b).toBe(0);
    expect([...told.bytes.subarray(0, 5)]).toEqual([4, 127, 0, 0, 9]);
    expect(told.bytes.readUInt16BE(17)).toBe(client.socket.localPort);
    using second = await connectRaw(port);
    await second.write(Buffer.from('x'));
    expect(engine.census().streams).toBe(1);
    engine.native.credit(listener, 1);
    await until(() => engine.census().streams === 2, { what: 'the second client' });
    client[Symbol.dispose]();
  });

  test('tells the local address of a listener that is bound to none', async () => {
    using engine = start();
    const { port } = await engine.listen(1, '::');
    using client = await connectRaw(port, { host: '127.0.0.5' });
    const { b, bytes } = await engine.event(Event.accepted);
    expect(b).toBe(1);
    expect([...bytes.subarray(0, 5)]).toEqual([4, 127, 0, 0, 1]);
    expect([...bytes.subarray(19, 24)]).toEqual([4, 127, 0, 0, 5]);
    expect([bytes.readUInt16BE(17), bytes.readUInt16BE(36)]).toEqual([client.socket.localPort, port]);
  });

  test('what cannot be bound or listened on is an error with its code', () => {
    using engine = start();
    const { bind } = addon as NativeAddon;
    expect(() => bind('203.0.113.1', 0, false)).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }));
    expect(() => bind('nowhere', 0, false)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => engine.native.listen(-1, 10)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  test('unlisten() closes its copy: nobody listens any more', async () => {
    using engine = start();
    const { listener, port } = await engine.listen(1);
    engine.native.unlisten(listener);
    await expect(connectRaw(port)).rejects.toThrow(expect.objectContaining({ code: 'ECONNREFUSED' }));
  });

  test('reads nothing before resume(), and then what came meanwhile', async () => {
    using engine = start();
    const { client, told } = await accept(engine);
    await client.write(Buffer.from('hello'));
    client.end();
    engine.native.resume(told.id);
    await engine.event(Event.ended, told.id);
    expect(engine.kindsOf(told.id)).toEqual([Event.accepted, Event.bytes, Event.ended]);
    expect(engine.bytesOf(told.id).toString()).toBe('hello');
    engine.native.write(told.id, Buffer.from('bye'));
    engine.native.end(told.id);
    expect((await engine.event(Event.closed, told.id)).a).toBe(0);
    expect((await client.waitForBytes(3)).toString()).toBe('bye');
    expect(await within(client.closed, { what: 'the end' })).toBe(null);
  });

  test('what a pause meets in the batch is told after resume(), FIN too', async () => {
    using engine = start();
    const { client, told } = await accept(engine);
    engine.onEvent = ({ kind }) => {
      if (kind === Event.bytes) engine.native.pause(told.id);
    };
    engine.native.resume(told.id);
    await client.write(Buffer.from('hello'));
    client.end();
    await engine.event(Event.bytes, told.id);
    const out = new Float64Array(2);
    expect(engine.native.counts(told.id, out)).toBe(true);
    expect(out[0]).toBe(5);
    expect(engine.kindsOf(told.id)).not.toContain(Event.ended);
    engine.native.resume(told.id);
    await engine.event(Event.ended, told.id);
  });

  test('a reset of a paused stream is told, and its number is gone', async () => {
    using engine = start();
    const { client, told } = await accept(engine);
    client.socket.resetAndDestroy();
    expect((await engine.event(Event.closed, told.id)).a).toBe(errno.ECONNRESET);
    const { native } = engine;
    native.resume(told.id);
    native.close(told.id);
    native.reset(told.id);
    expect(native.write(told.id, Buffer.from('x'))).toBe(true);
    expect(native.counts(told.id, new Float64Array(2))).toBe(false);
    expect(native.link(told.id, told.id, Buffer.alloc(0), -1, -1, 0, 0)).toBe(-1);
    expect(engine.census()).toEqual({ streams: 0, links: 0, waiting: 0 });
  });

  test('what a server sent before its reset is told before it, paused or not', async () => {
    using engine = start();
    await using server = await startBroker(() => undefined);
    const stream = engine.native.dial('127.0.0.1', server.port, null, 0, Buffer.from('x'));
    await engine.event(Event.opened, stream);
    const { socket } = await server.waitForPeer(0);
    const ours = (): KernelSocket | undefined =>
      kernelSockets().find(one => one.localPort === socket.remotePort && one.remotePort === server.port);
    socket.write('last words');
    await until(() => ours()?.unread === 10, { what: 'the bytes to be there' });
    socket.resetAndDestroy();
    await until(() => ours() === undefined, { what: 'the reset' });
    // Whatever there is to tell of it has been told when another one has come.
    const { client } = await accept(engine);
    client[Symbol.dispose]();
    expect(engine.native.write(stream, Buffer.from('into the void'))).toBe(true);
    engine.native.resume(stream);
    expect(await engine.event(Event.closed, stream)).not.toMatchObject({ a: 0 });
    expect(engine.kindsOf(stream)).toEqual([Event.opened, Event.bytes, Event.closed]);
    expect(engine.bytesOf(stream).toString()).toBe('last words');
  });

  test.each([
    ['close', null, 0],
    ['abort', 'ECONNRESET', errno.ECONNABORTED],
    ['reset', 'ECONNRESET', errno.ECONNABORTED],
  ] as const)('%s: the peer hears %s', async (how, code, a) => {
    using engine = start();
    const { client, told } = await accept(engine);
    // Unread bytes must not turn a FIN into RST.
    await client.write(Buffer.from('unread'));
    engine.native.write(told.id, Buffer.from('last'));
    await client.waitForBytes(4);
    client.socket.on('end', () => client.end());
    engine.native[how](told.id);
    expect((await engine.event(Event.closed, told.id)).a).toBe(a);
    expect(await within(client.closed, { what: 'the end' })).toBe(code);
    expect(engine.kindsOf(told.id).filter(kind => kind === Event.closed)).toHaveLength(1);
  });

  test('a slow peer: write() says false, and everything comes behind it', async () => {
    using engine = start();
    const { client, told } = await accept(engine);
    client.stopReading();
    const chunk = Buffer.alloc(1024 * 1024, 'a');
    let written = 0;
    do written += chunk.length;
    while (engine.native.write(told.id, chunk));
    expect(engine.census().waiting).toBeGreaterThan(0);
    engine.native.abort(told.id);
    client.readAgain();
    await client.waitForBytes(written);
    expect((await engine.event(Event.closed, told.id)).a).toBe(errno.ECONNABORTED);
  });

  test('dials from an address, sends its first bytes, and says why where it cannot', async () => {
    using engine = start();
    const { port } = await engine.listen(2);
    const first = Buffer.from('first');
    const stream = engine.native.dial('127.0.0.1', port, '127.0.0.7', 0, first);
    await engine.event(Event.opened, stream);
    const { id, bytes } = await engine.event(Event.accepted);
    expect([...bytes.subarray(0, 5)]).toEqual([4, 127, 0, 0, 7]);
    engine.native.resume(id);
    expect((await engine.event(Event.bytes, id)).bytes.toString()).toBe('first');
    const refused = engine.native.dial('127.0.0.1', 1, null, 0, first);
    expect(await engine.event(Event.failed, refused)).toMatchObject({ a: errno.ECONNREFUSED, b: 2 });
    const homeless = engine.native.dial('127.0.0.1', port, '203.0.113.1', 0, first);
    expect(await engine.event(Event.failed, homeless)).toMatchObject({ a: errno.EADDRNOTAVAIL, b: 1 });
    const given = engine.native.dial('127.0.0.1', 1, null, 0, first);
    engine.native.reset(given);
    const last = engine.native.dial('127.0.0.1', 1, null, 0, first);
    await engine.event(Event.failed, last);
    expect(engine.kindsOf(given)).toEqual([]);
  });

  test('P1: a hundred streams carry a megabyte each there and back', async () => {
    using engine = start();
    const { port } = await engine.listen(100);
    const { native } = engine;
    const ended = new Set<number>();
    engine.onEvent = ({ kind, id, bytes }) => {
      if (kind === Event.accepted || kind === Event.drained) native.resume(id);
      if (kind === Event.bytes && !native.write(id, bytes)) native.pause(id);
      if (kind === Event.ended) native.end(id);
      if (kind === Event.closed) ended.add(id);
      engine.told.length = 0;
    };
    const echo = async (seed: number): Promise<void> => {
      using client = await connectRaw(port);
      const sent = Buffer.alloc(1024 * 1024, 0).map((_, at) => (seed + at * 7 + (at >> 8)) & 0xff);
      for (let at = 0; at < sent.length; at += 100_003) await client.write(sent.subarray(at, at + 100_003));
      client.end();
      await within(client.closed, { what: 'the echo', timeoutMs: 25_000 });
      expect(client.received().equals(sent)).toBe(true);
    };
    await Promise.all(Array.from({ length: 100 }, (_, seed) => echo(seed)));
    await until(() => ended.size === 100, { what: 'all ends' });
    expect(engine.census()).toEqual({ streams: 0, links: 0, waiting: 0 });
  });

  test('a link takes what stands in the batch for its streams, in order', async () => {
    using engine = start();
    const { native } = engine;
    const server = await engine.listen(1);
    const client = await engine.listen(1);
    using broker = await connectRaw(server.port);
    const ofServer = await engine.event(Event.accepted);
    engine.told.length = 0;
    using device = await connectRaw(client.port);
    const ofClient = await engine.event(Event.accepted);
    await device.write(Buffer.from('connect'));
    await broker.write(Buffer.from('connack'));
    const meter = native.openMeter();
    let link = -1;
    engine.onEvent = ({ kind, bytes }) => {
      // The other one's bytes are behind it in the same batch.
      if (kind === Event.bytes) link = native.link(ofClient.id, ofServer.id, bytes, -1, -1, 0, meter);
      engine.onEvent = () => {};
    };
    native.resume(ofServer.id);
    native.resume(ofClient.id);
    expect((await broker.waitForBytes(7)).toString()).toBe('connect');
    expect((await device.waitForBytes(7)).toString()).toBe('connack');
    expect(engine.told.filter(told => told.kind === Event.bytes)).toHaveLength(1);
    await device.write(Buffer.from('publish'));
    expect((await broker.waitForBytes(14)).toString()).toBe('connectpublish');
    device.end();
    broker.end();
    expect(await engine.event(Event.linkEnded, link)).toMatchObject({ a: 0, b: 14, c: 7 });
    const sums = new Float64Array(2);
    native.readMeter(meter, sums);
    expect([...sums]).toEqual([14, 7]);
    expect(engine.census()).toEqual({ streams: 0, links: 0, waiting: 0 });
  });

  test('the kernel asks silent peers of a link for a sign of life where that is wanted, and nobody else', async () => {
    using engine = start();
    const { native } = engine;
    const { port } = await engine.listen(4);
    const accepted = async (): Promise<[RawSocket, number]> => {
      engine.told.length = 0;
      const peer = await connectRaw(port);
      return [peer, (await engine.event(Event.accepted)).id];
    };
    const meter = native.openMeter();
    const asked: boolean[] = [];
    for (const options of [0, 2]) {
      const [[device, client], [broker, server]] = [await accepted(), await accepted()];
      native.link(client, server, Buffer.alloc(0), -1, -1, options, meter);
      const ports = [device.socket.localPort, broker.socket.localPort];
      const ours = kernelSockets().filter(one => one.localPort === port && ports.includes(one.remotePort));
      asked.push(...ours.map(one => one.hasKeepAlive));
      device[Symbol.dispose]();
      broker[Symbol.dispose]();
    }
    expect(asked).toEqual([false, false, true, true]);
  });

  test('shut down within a batch, it tells nothing any more and answers everything', async () => {
    using engine = start();
    const { client, port, told } = await accept(engine);
    engine.onEvent = () => engine[Symbol.dispose]();
    engine.native.resume(told.id);
    await client.write(Buffer.from('x'));
    await client.waitForEnd();
    expect(engine.native.write(told.id, Buffer.from('x'))).toBe(true);
    expect(engine.native.dial('127.0.0.1', port, null, 0, Buffer.alloc(0))).toBe(-1);
    expect(engine.census()).toEqual({ streams: 0, links: 0, waiting: 0 });
  });
});
