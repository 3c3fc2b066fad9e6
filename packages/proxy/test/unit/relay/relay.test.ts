import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TimerWheel } from '../../../src/clock.ts';
import { Relay, type RelayLimits } from '../../../src/relay/relay.ts';
import type { RelayEnd } from '../../../src/stages.ts';
import { MemoryEndpoint } from './memory_endpoint.ts';

const NO_LIMITS: RelayLimits = { clientIdleMs: null, serverIdleMs: null };
const LINGER_MS = 30_000;
const SLACK_MS = 100;
const wheels: TimerWheel[] = [];

function scene(limits: RelayLimits = NO_LIMITS, toClient = 'CONNACK ') {
  const wheel = new TimerWheel();
  wheels.push(wheel);
  const [client, server] = [new MemoryEndpoint(), new MemoryEndpoint()];
  const relay = new Relay(client, server, limits, wheel);
  const ends: RelayEnd[] = [];
  const start = (): void => {
    void relay.run(Buffer.from(toClient)).then(end => ends.push(end));
  };
  return { relay, client, server, ends, start };
}

function started(limits?: RelayLimits) {
  const made = scene(limits);
  made.start();
  return made;
}

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await Promise.resolve();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] });
});
afterEach(() => {
  for (const wheel of wheels.splice(0)) wheel.close();
  vi.useRealTimers();
});

describe('bytes', () => {
  test('P1: what the broker sent with its CONNACK comes first, then everything, both ways, once and in order', () => {
    const { client, server, start } = scene();
    client.sends('early ');
    start();
    server.sends('one ');
    client.sends('two');
    server.sends('three');
    expect(client.written).toBe('CONNACK one three');
    expect(server.written).toBe('early two');
  });

  test('P1: any interleaving of bytes, slowness and FIN loses nothing, doubles nothing, moves nothing', () => {
    const step = fc.record({
      side: fc.boolean(),
      what: fc.constantFrom('send', 'send', 'send', 'slow', 'drain'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { client, server, start } = scene(NO_LIMITS, '');
        start();
        const sent = { client: '', server: '' };
        steps.forEach(({ side, what }, at) => {
          const from = side ? client : server;
          if (what === 'slow') from.isSlow = true;
          else if (what === 'drain') from.drains();
          else {
            from.sends(`${at},`);
            sent[side ? 'client' : 'server'] += `${at},`;
          }
        });
        client.drains();
        server.drains();
        expect(server.written).toBe(sent.client);
        expect(client.written).toBe(sent.server);
      }),
    );
  });

  test('P10: a side that does not take bytes pauses the side that feeds it, and no other', () => {
    const { client, server } = started();
    server.isSlow = true;
    client.sends('one');
    expect([client.isPaused, server.isPaused]).toEqual([true, false]);
    client.sends('two');
    expect(server.written).toBe('one');
    server.sends('pong');
    expect(client.written).toBe('CONNACK pong');
    server.drains();
    expect(client.isPaused).toBe(false);
    expect(server.written).toBe('onetwo');
  });

  test('P10: a client that is slow from the first byte on', () => {
    const { client, server, start } = scene();
    client.isSlow = true;
    start();
    expect([client.isPaused, server.isPaused]).toEqual([false, true]);
    client.drains();
    expect(server.isPaused).toBe(false);
  });
});

describe('the end', () => {
  test.each(['client', 'server'] as const)(
    'P1: %s sends FIN: the other side gets it, and may go on sending',
    async first => {
      const { client, server, ends } = started();
      const [ender, other] = first === 'client' ? [client, server] : [server, client];
      ender.ends();
      expect(other.asked.filter(what => what === 'end')).toEqual(['end']);
      other.sends('last words');
      expect(ender.written).toMatch(/last words$/);
      other.ends();
      ender.closes(null);
      await pass(0);
      expect(ends).toEqual([`${first}_closed`]);
      expect(other.asked).toContain('close');
    },
  );

  test.each(['client', 'server'] as const)(
    '%s is reset: so is the other side, behind what is on its way',
    async first => {
      const { client, server, ends } = started();
      const [ender, other] = first === 'client' ? [client, server] : [server, client];
      ender.closes('ECONNRESET');
      expect(other.asked.filter(what => !what.startsWith('keepAlive'))).toEqual(['abort']);
      await pass(0);
      expect(ends).toEqual([`${first}_reset`]);
    },
  );

  test('stop(): both sides are closed, and the first reason stays', async () => {
    const { relay, client, server, ends } = started();
    relay.stop('server_down');
    relay.stop('shutdown');
    await pass(0);
    expect(ends).toEqual(['server_down']);
    expect([client.asked.includes('close'), server.asked.includes('close')]).toEqual([true, true]);
  });

  test('a side that was closed while nobody listened: the relay ends all the same', async () => {
    const { client, ends, start } = scene();
    start();
    client.closes(null);
    await pass(0);
    expect(ends).toEqual(['client_closed']);
  });

  test('P10: a peer that does not take the last bytes is given 30 s, then reset', async () => {
    const { relay, client, ends } = started();
    client.isSlow = true;
    relay.stop('shutdown');
    await pass(LINGER_MS - SLACK_MS);
    expect([client.asked.includes('reset'), ends]).toEqual([false, []]);
    await pass(2 * SLACK_MS);
    expect([client.asked.includes('reset'), ends]).toEqual([true, ['shutdown']]);
  });

  test('P1: what the kernel holds for a slow peer is still delivered 30 s after the last byte', async () => {
    const { client, server, ends } = started();
    server.sends('all of it');
    server.ends();
    await pass(LINGER_MS + SLACK_MS);
    expect([client.asked.includes('close'), client.asked.includes('reset')]).toEqual([true, false]);
    expect(ends).toEqual(['server_closed']);
  });

  test('P10: what waits in this process after an end is not waited for any longer than 5 s more', async () => {
    const { client, server, ends } = started();
    client.isSlow = true;
    server.sends('all of it');
    server.ends();
    await pass(LINGER_MS + SLACK_MS);
    expect([client.asked.includes('reset'), ends]).toEqual([false, []]);
    await pass(5000 + SLACK_MS);
    expect([client.asked.includes('reset'), ends]).toEqual([true, ['server_closed']]);
  });

  test('a half-closed session lives as long as the other half speaks, and 30 s longer', async () => {
    const { client, server, ends } = started();
    client.ends();
    for (let round = 0; round < 5; round += 1) {
      await pass(LINGER_MS - SLACK_MS);
      server.sends('x');
    }
    expect(ends).toEqual([]);
    await pass(LINGER_MS + SLACK_MS);
    expect(ends).toEqual(['client_closed']);
  });

  test('whatever happens, and in whatever order: one end, and nothing is left open', async () => {
    const kinds = fc.constantFrom('client ends', 'server ends', 'client resets', 'server resets', 'stop', 'wait');
    await fc.assert(
      fc.asyncProperty(fc.array(kinds, { minLength: 1, maxLength: 8 }), async kinds => {
        const { relay, client, server, ends } = started();
        const acts: Record<string, () => unknown> = {
          'client ends': () => client.ends(),
          'server ends': () => server.ends(),
          'client resets': () => client.closes('ECONNRESET'),
          'server resets': () => server.closes('ECONNRESET'),
          stop: () => relay.stop('killed'),
          wait: () => pass(100),
        };
        for (const kind of kinds) await acts[kind]?.();
        await pass(LINGER_MS + SLACK_MS);
        const isOver = kinds.some(kind => kind !== 'wait');
        expect([ends.length, client.isClosed, server.isClosed]).toEqual([isOver ? 1 : 0, isOver, isOver]);
        for (const wheel of wheels.splice(0)) wheel.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe('idle limits', () => {
  const limits = { clientIdleMs: 1500, serverIdleMs: null };

  test('a client that is not heard in its time is closed: without DISCONNECT, so that its Will is published', async () => {
    const { client, server, ends } = started(limits);
    await pass(1500 - SLACK_MS);
    expect(ends).toEqual([]);
    await pass(2 * SLACK_MS);
    expect(ends).toEqual(['client_idle']);
    expect(server.written).toBe('');
    expect([...client.asked, ...server.asked]).toEqual(expect.arrayContaining(['close']));
    expect([...client.asked, ...server.asked]).not.toContain('reset');
  });

  test('every byte of the client starts the time again; bytes of the broker do not', async () => {
    const { client, server, ends } = started(limits);
    for (let ping = 0; ping < 10; ping += 1) {
      await pass(1400);
      client.sends('ping');
    }
    for (let message = 0; message < 14; message += 1) {
      await pass(100);
      server.sends('message');
    }
    expect(ends).toEqual([]);
    await pass(100 + SLACK_MS);
    expect(ends).toEqual(['client_idle']);
  });

  test('P10: a client that we do not read is not silent', async () => {
    const { client, server, ends } = started(limits);
    server.isSlow = true;
    client.sends('publish');
    await pass(60_000);
    expect(ends).toEqual([]);
    server.drains();
    await pass(1500 - SLACK_MS);
    expect(ends).toEqual([]);
    // It is looked at once in its limit.
    await pass(2 * SLACK_MS + 1500);
    expect(ends).toEqual(['client_idle']);
  });

  test('P10: a broker that takes nothing for two minutes is gone, and its client may look for another', async () => {
    const { client, server, ends } = started(limits);
    server.isSlow = true;
    client.sends('publish');
    await pass(120_000 - SLACK_MS);
    expect(ends).toEqual([]);
    // It is looked at once in its limit; then it may fetch its last bytes for 30 s.
    await pass(2 * SLACK_MS + 1500 + 30_000);
    expect(ends).toEqual(['server_idle']);
  });

  test('the broker has a limit of its own, where one is set; the shorter one counts', async () => {
    const { client, ends } = started({ clientIdleMs: 5000, serverIdleMs: 1000 });
    await pass(900);
    client.sends('ping');
    await pass(100 + SLACK_MS);
    expect(ends).toEqual(['server_idle']);
  });

  test('keep-alive 0: no limit, but the kernel looks after both peers', async () => {
    const { client, server, ends } = started();
    await pass(20 * 60 * 1000);
    expect(ends).toEqual([]);
    for (const side of [client, server]) expect(side.asked).toEqual([expect.stringMatching(/^keepAlive \d+$/)]);
  });

  test('with a limit the kernel is not asked: that would be four system calls for nothing', () => {
    const { client, server } = started(limits);
    expect([client.asked, server.asked]).toEqual([[], []]);
  });
});
