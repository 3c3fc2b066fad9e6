/** The relay over real TCP, in one process: bytes, ends, and how they are named. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../../src/clock.ts';
import { Relay, type RelayLimits } from '../../src/relay/relay.ts';
import type { RelayEnd } from '../../src/stages.ts';
import { TcpEndpoint } from '../../src/tcp_endpoint.ts';
import { streamBytes } from '../kit/broker.ts';
import { until, within } from '../kit/condition.ts';
import { RawSocket } from '../kit/raw_socket.ts';

const NO_LIMITS: RelayLimits = { clientIdleMs: null, serverIdleMs: null };
const NOTHING = Buffer.alloc(0);
const MB = 1_000_000;

/** Two ends of one TCP connection. `ours` is paused, as listen and dial leave it. */
async function tcpPair(): Promise<{ ours: Socket; theirs: RawSocket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the pair does not listen');
  const accepted = new Promise<Socket>(resolve => server.once('connection', resolve));
  const theirs = new RawSocket(connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true }), 'a peer');
  const ours = await accepted;
  server.close();
  return { ours, theirs };
}

/** A relay that runs, and the two peers that it serves. */
class Running implements Disposable {
  readonly client: RawSocket;
  readonly server: RawSocket;
  readonly relay: Relay;
  readonly end: Promise<RelayEnd>;
  readonly #wheel: TimerWheel;

  constructor(client: RawSocket, server: RawSocket, relay: Relay, toClient: Buffer, wheel: TimerWheel) {
    this.client = client;
    this.server = server;
    this.relay = relay;
    this.#wheel = wheel;
    this.end = within(relay.run(toClient), { what: 'the end of the relay', timeoutMs: 20_000 });
  }

  /** The peers by name, the one that acts first. */
  from(first: 'client' | 'server'): readonly [RawSocket, RawSocket] {
    return first === 'client' ? [this.client, this.server] : [this.server, this.client];
  }

  [Symbol.dispose](): void {
    this.#wheel.close();
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
  }
}

async function startRelay(limits: RelayLimits = NO_LIMITS, toClient: Buffer = NOTHING): Promise<Running> {
  const [client, server] = await Promise.all([tcpPair(), tcpPair()]);
  const wheel = new TimerWheel();
  const relay = new Relay(new TcpEndpoint(client.ours), new TcpEndpoint(server.ours), limits, wheel);
  return new Running(client.theirs, server.theirs, relay, toClient, wheel);
}

describe.each(['client', 'server'] as const)('the %s', first => {
  test('P1: sends 3 MB while 3 MB come back, then FIN: the other direction goes on', async () => {
    const head = Buffer.from('CONNACK');
    using running = await startRelay(NO_LIMITS, head);
    const [leaver, stayer] = running.from(first);
    const [out, back] = [streamBytes(3 * MB), streamBytes(3 * MB, 11)];
    await Promise.all([leaver.write(out), stayer.write(back)]);
    leaver.end();
    await stayer.waitForEnd();
    const more = streamBytes(MB, 5);
    await stayer.write(more);
    stayer.end();
    expect(await running.end).toBe(`${first}_closed`);
    const [toLeaver, toStayer] = first === 'client' ? [head, NOTHING] : [NOTHING, head];
    await Promise.all([leaver.waitForEnd(), leaver.closed, stayer.closed]);
    expect(stayer.received().equals(Buffer.concat([toStayer, out]))).toBe(true);
    expect(leaver.received().equals(Buffer.concat([toLeaver, back, more]))).toBe(true);
  });

  test('P1: leaves at once, and its last bytes arrive', async () => {
    using running = await startRelay();
    const [leaver, stayer] = running.from(first);
    leaver.socket.end('last words');
    await stayer.waitForEnd();
    expect(stayer.received().toString()).toBe('last words');
    stayer.end();
    expect(await running.end).toBe(`${first}_closed`);
    expect(await Promise.all([leaver.closed, stayer.closed])).toEqual([null, null]);
  });

  test('P1: sends RST, and RST arrives', async () => {
    using running = await startRelay();
    const [leaver, stayer] = running.from(first);
    leaver.reset();
    expect(await running.end).toBe(`${first}_reset`);
    expect(await stayer.closed).toBe('ECONNRESET');
  });

  test('P1: sends RST right behind bytes, which is still no orderly end', async () => {
    for (let round = 0; round < 30; round += 1) {
      using running = await startRelay();
      const [leaver, stayer] = running.from(first);
      await leaver.write(streamBytes(100_000));
      leaver.reset();
      expect(await running.end).toBe(`${first}_reset`);
      expect(await stayer.closed).toBe('ECONNRESET');
    }
  });

  test('P10: does not read: the other one is not read either, and nothing is lost when it goes on', async () => {
    using running = await startRelay();
    const [slow, fast] = running.from(first);
    slow.stopReading();
    const all = streamBytes(30 * MB);
    const sending = fast.write(all);
    // Over what the kernel's buffers take on the way, nothing moves any more.
    const stuckAt = await standstill(() => fast.socket.bytesWritten - fast.socket.writableLength);
    expect(stuckAt).toBeLessThan(all.length);
    // The other direction is not stuck.
    await slow.write(Buffer.from('still here'));
    expect((await fast.waitForBytes(10)).toString()).toBe('still here');
    slow.readAgain();
    await sending;
    expect((await slow.waitForBytes(all.length)).equals(all)).toBe(true);
    fast.end();
    slow.end();
    expect(await running.end).toBe(`${first === 'client' ? 'server' : 'client'}_closed`);
  });
});

/** Resolves when this count has not changed for half a second: that nothing moves can only be seen by waiting. */
async function standstill(count: () => number): Promise<number> {
  let last = -1;
  let sinceMs = performance.now();
  const isStill = (): boolean => {
    if (count() !== last) [last, sinceMs] = [count(), performance.now()];
    return performance.now() - sinceMs > 500;
  };
  await until(isStill, { what: 'the stream to stand still' });
  return last;
}

test('P7: silence ends both sides in an orderly way, and is named after the silent one', async () => {
  for (const [limits, name, clientTalks] of [
    [{ clientIdleMs: 200, serverIdleMs: null }, 'client_idle', false],
    [{ clientIdleMs: null, serverIdleMs: 200 }, 'server_idle', true],
  ] as const) {
    using running = await startRelay(limits);
    const startMs = performance.now();
    // The other side's bytes do not keep the silent one alive.
    const talker = clientTalks ? running.client : running.server;
    const talk = setInterval(() => void talker.write(Buffer.of(0)).catch(() => undefined), 50);
    await Promise.all([running.client.waitForEnd(), running.server.waitForEnd()]);
    clearInterval(talk);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(199);
    running.client.end();
    running.server.end();
    expect(await running.end).toBe(name);
  }
});

test('P7: a byte now and then is no silence', async () => {
  using running = await startRelay({ clientIdleMs: 600, serverIdleMs: null });
  for (let count = 1; count <= 15; count += 1) {
    await running.client.write(Buffer.of(count));
    // Fifteen times a fraction of the limit is more than the limit.
    await new Promise(resolve => setTimeout(resolve, 60));
  }
  expect(running.server.ended).toBe(false);
  expect(await running.server.waitForBytes(15)).toHaveLength(15);
});

test.each(['server_down', 'shutdown', 'killed'] as const)(
  'a relay that is stopped (%s) closes both, twice is once',
  async reason => {
    using running = await startRelay(NO_LIMITS, Buffer.from('CONNACK'));
    running.relay.stop(reason);
    running.relay.stop('killed');
    await Promise.all([running.client.waitForEnd(), running.server.waitForEnd()]);
    expect(running.client.received().toString()).toBe('CONNACK');
    running.client.end();
    running.server.end();
    expect(await running.end).toBe(reason);
  },
);
