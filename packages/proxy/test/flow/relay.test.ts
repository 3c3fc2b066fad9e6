/** Relays over real TCP, in one process: bytes, ends, and how they are named. */
import { describe, expect, test } from 'vitest';
import type { RelayLimits } from '../../src/relay/relay.ts';
import type { RunningRelay } from '../../src/relay/relays.ts';
import type { RelayEnd } from '../../src/stages.ts';
import { streamBytes } from '../kit/broker.ts';
import { until, within } from '../kit/condition.ts';
import { TestMover } from '../kit/mover.ts';
import type { RawSocket } from '../kit/raw_socket.ts';
import { type RelayKind, relayKinds } from '../kit/relay_kind.ts';

const NO_LIMITS: RelayLimits = { clientIdleMs: null, serverIdleMs: null };
const NOTHING = Buffer.alloc(0);
const MB = 1_000_000;

interface Ended {
  readonly end: RelayEnd;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A relay that runs, and the two peers that it serves. */
class Running implements Disposable {
  readonly client: RawSocket;
  readonly server: RawSocket;
  readonly relay: RunningRelay;
  readonly ended: Promise<Ended>;
  /** What its meters have counted, after `settle`. */
  readonly passed: { in: number; out: number };
  readonly #mover: TestMover;

  constructor(client: RawSocket, server: RawSocket, relay: RunningRelay, ended: Promise<Ended>, mover: TestMover) {
    this.client = client;
    this.server = server;
    this.relay = relay;
    this.ended = within(ended, { what: 'the end of the relay', timeoutMs: 20_000 });
    this.passed = { in: 0, out: 0 };
    this.#mover = mover;
  }

  get end(): Promise<RelayEnd> {
    return this.ended.then(({ end }) => end);
  }

  /** The peers by name, the one that acts first. */
  from(first: 'client' | 'server'): readonly [RawSocket, RawSocket] {
    return first === 'client' ? [this.client, this.server] : [this.server, this.client];
  }

  settle(): void {
    this.#mover.settle();
  }

  [Symbol.dispose](): void {
    this.#mover[Symbol.dispose]();
  }
}

async function startRelay(kind: RelayKind, limits = NO_LIMITS, toClient: Buffer = NOTHING): Promise<Running> {
  const mover = new TestMover(kind);
  const [client, server] = await Promise.all([mover.pair(), mover.pair()]);
  const passed = { in: 0, out: 0 };
  const meter = { in: { add: (by: number) => (passed.in += by) }, out: { add: (by: number) => (passed.out += by) } };
  let tell: (ended: Ended) => void = () => {};
  const ended = new Promise<Ended>(resolve => {
    tell = resolve;
  });
  const owner = { relayEnded: (end: RelayEnd, bytesIn: number, bytesOut: number) => tell({ end, bytesIn, bytesOut }) };
  const relay = mover.relays.start(client.ours, server.ours, { limits, meter, toClient, follow: false }, owner);
  return Object.assign(new Running(client.peer, server.peer, relay, ended, mover), { passed });
}

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

describe.each(relayKinds)('the %s relay', kind => {
  describe.each(['client', 'server'] as const)('the %s', first => {
    test('P1: sends 3 MB while 3 MB come back, then FIN: the other direction goes on', async () => {
      const head = Buffer.from('CONNACK');
      using running = await startRelay(kind, NO_LIMITS, head);
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
      using running = await startRelay(kind);
      const [leaver, stayer] = running.from(first);
      leaver.socket.end('last words');
      await stayer.waitForEnd();
      expect(stayer.received().toString()).toBe('last words');
      stayer.end();
      expect(await running.end).toBe(`${first}_closed`);
      expect(await Promise.all([leaver.closed, stayer.closed])).toEqual([null, null]);
    });

    test('leaves at once: the client can not be asked to leave any more, and nothing is cut short', async () => {
      using running = await startRelay(kind);
      const [leaver, stayer] = running.from(first);
      leaver.end();
      await stayer.waitForEnd();
      expect(running.relay.evict(null)).toBe(false);
      stayer.socket.end('last words');
      await leaver.waitForEnd();
      expect(leaver.received().toString()).toBe('last words');
      expect(await running.end).toBe(`${first}_closed`);
      expect(running.relay.evict(null)).toBe(false);
    });

    test('P1: sends RST, and RST arrives', async () => {
      using running = await startRelay(kind);
      const [leaver, stayer] = running.from(first);
      leaver.reset();
      expect(await running.end).toBe(`${first}_reset`);
      expect(await stayer.closed).toBe('ECONNRESET');
    });

    test('P1: sends RST right behind bytes, which is still no orderly end', async () => {
      for (let round = 0; round < 30; round += 1) {
        using running = await startRelay(kind);
        const [leaver, stayer] = running.from(first);
        await leaver.write(streamBytes(100_000));
        leaver.reset();
        expect(await running.end).toBe(`${first}_reset`);
        expect(await stayer.closed).toBe('ECONNRESET');
      }
    });

    test('P10: does not read: the other one is not read either, and nothing is lost when it goes on', async () => {
      using running = await startRelay(kind);
      const [slow, fast] = running.from(first);
      slow.stopReading();
      // More than the kernel takes on the way: 32 MiB where net.ipv4.tcp_rmem allows it, and some more.
      const all = streamBytes(80 * MB);
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

  test('P7: silence ends both sides in an orderly way, and is named after the silent one', async () => {
    for (const [limits, name, clientTalks] of [
      [{ clientIdleMs: 200, serverIdleMs: null }, 'client_idle', false],
      [{ clientIdleMs: null, serverIdleMs: 200 }, 'server_idle', true],
    ] as const) {
      using running = await startRelay(kind, limits);
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
    using running = await startRelay(kind, { clientIdleMs: 600, serverIdleMs: null });
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
      using running = await startRelay(kind, NO_LIMITS, Buffer.from('CONNACK'));
      running.relay.stop(reason);
      running.relay.stop('killed');
      await Promise.all([running.client.waitForEnd(), running.server.waitForEnd()]);
      expect(running.client.received().toString()).toBe('CONNACK');
      running.client.end();
      running.server.end();
      expect(await running.end).toBe(reason);
    },
  );

  test('a client is asked to leave once, and one whose relay was stopped is not', async () => {
    using running = await startRelay(kind);
    expect([running.relay.evict(null), running.relay.evict(null)]).toEqual([true, false]);
    await running.client.waitForEnd();
    running.client.end();
    await running.server.waitForEnd();
    running.server.end();
    expect(await running.end).toBe('drained');
    using stopped = await startRelay(kind);
    stopped.relay.stop('killed');
    expect(stopped.relay.evict(null)).toBe(false);
  });

  test('P12: counts what was passed, what was read before it included', async () => {
    const head = Buffer.from('CONNACK');
    using running = await startRelay(kind, NO_LIMITS, head);
    const [up, down] = [streamBytes(300_000), streamBytes(200_000, 7)];
    await Promise.all([running.client.write(up), running.server.write(down)]);
    await running.server.waitForBytes(up.length);
    await running.client.waitForBytes(head.length + down.length);
    const counted = { bytesIn: up.length, bytesOut: head.length + down.length };
    expect({ bytesIn: running.relay.bytesIn, bytesOut: running.relay.bytesOut }).toEqual(counted);
    running.client.end();
    running.server.end();
    expect(await running.ended).toEqual({ end: 'client_closed', ...counted });
    running.settle();
    running.settle();
    expect(running.passed).toEqual({ in: counted.bytesIn, out: counted.bytesOut });
  });
});
